using System.CommandLine;
using Distill.Cli.Parsing;
using Distill.Data.Problems;
using Distill.Data.Sources.Formats;
using Distill.Hub;
using Distill.Pipeline.Problems;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Sections;

namespace Distill.Cli.Models;

/// <summary>The options that say how the rows of a source are read. Adds itself to the command it is made for.</summary>
internal sealed class SourceArguments
{
    private const string Column = "COLUMN";

    private readonly Option<string?> format = Words("--format", $"How rows are written: {string.Join(", ", ProblemFormats.Names)}. Default "
        + $"{ProblemFormats.Auto}: the first row decides.", ProblemFormats.Names);

    private readonly Option<string?> question = Text("--question", Column, @"Column of the question, or a template: '{title}\n{body}'.");
    private readonly Option<string?> answer = Text("--answer", Column, "Column of the reference answer.");
    private readonly Option<string?> solution = Text("--solution", Column, "Column of a worked solution.");
    private readonly Option<string?> choices = Text("--choices", "COLUMNS", "Column with the list of options, or columns: 'a, b, c, d'.");
    private readonly Option<string?> system = Text("--system", Column, "Column of a system message.");
    private readonly Option<string?> domain = Text("--domain", Column, "Column by which reports group problems.");
    private readonly Option<string?> level = Text("--level", Column, "Column of the difficulty.");
    private readonly Option<string?> id = Text("--id", Column, "Column that names each row.");
    private readonly Option<string?> config = Text("--config", "NAME", "Configuration of a data set.");
    private readonly Option<string?> split =
        Text("--split", "SPLIT", "Of a data set: the split that is read, default train. Of a file: where its rows go.");

    private readonly Option<string?> verifier = Words("--verifier", "Who judges the answers. Default auto.", [.. SourceSection.Verifiers]);

    public SourceArguments(Command command)
    {
        foreach (var option in All) command.Options.Add(option);
    }

    private Option<string?>[] All =>
        [format, question, answer, solution, choices, system, domain, level, id, config, split, verifier];

    /// <summary>Whether a word names a recipe.</summary>
    public static bool IsRecipe(string source) =>
        source.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase) || source.EndsWith(".yml", StringComparison.OrdinalIgnoreCase);

    /// <summary>A file, a pattern, a folder, a data set of the Hub or a recipe, as problems of a recipe.</summary>
    /// <exception cref="UsageException">There is no such thing, or the options do not fit it.</exception>
    /// <exception cref="InvalidRecipeException">The recipe is none.</exception>
    public ProblemSection SectionOf(string source, ParseResult parsed, CommandContext context)
    {
        if (IsRecipe(source))
        {
            if (All.FirstOrDefault(option => parsed.GetValue(option) is not null) is { } useless)
                throw new UsageException($"{useless.Name} does nothing here: the recipe says how its sources are read.", "Leave it out.");
            using var hub = new HubAccess(context);
            var problems = RunArguments.Load<DistillationRecipe>(source, null, hub, makesStudent: false).Problems;
            return problems.HasSources ? problems : problems with { Sources = [.. problems.Families.Select(Entry)], Families = [] };
        }

        return new ProblemSection { Sources = [EntryOf(source, parsed)], Train = int.MaxValue };
    }

    /// <summary>One entry of <c>problems.sources</c>.</summary>
    /// <inheritdoc cref="SectionOf" path="/exception"/>
    public SourceSection EntryOf(string source, ParseResult parsed)
    {
        string? Given(Option<string?> option) => parsed.GetValue(option)?.Replace(@"\n", "\n", StringComparison.Ordinal);
        bool isHub = HubReference.IsReference(source), isFolder = !isHub && Directory.Exists(source);
        var section = new SourceSection
        {
            Hub = isHub ? source : null,
            Folder = isFolder ? Path.GetFullPath(source) : null,
            File = isHub || isFolder ? null : Path.GetFullPath(source),
            Format = Given(format) ?? ProblemFormats.Auto,
            Question = Given(question),
            Answer = Given(answer),
            Solution = Given(solution),
            Choices = Given(choices),
            System = Given(system),
            Domain = Given(domain),
            Level = Given(level),
            Id = Given(id),
            Config = Given(config),
            Split = Given(split),
            Verifier = Given(verifier),
        };
        section = section with { Name = (string)section.DefaultOf(nameof(SourceSection.Name), null!)! };
        if (section.Rules(null!).FirstOrDefault(rule => !rule.Holds && !(rule.IsUnused && section.IsDefault(rule.Property))) is { } rule)
            throw new UsageException($"'{source}': {rule.Fault}.", $"{char.ToUpperInvariant(rule.Remedy[0])}{rule.Remedy[1..]}.");
        return section;
    }

    /// <exception cref="UsageException">It names no files.</exception>
    public static void RequireFiles(RecipeProblems problems)
    {
        try
        {
            _ = problems.Sources;
        }
        catch (InvalidDataException fault)
        {
            throw new UsageException(fault.Message,
                "Give a file or pattern (.jsonl, .json, .csv, .tsv, .parquet, also .gz or .zst), "
                    + "a data set's folder, hf://datasets/owner/name "
                + $"or a recipe. Families: {string.Join(", ", ProblemFamilies.All.Select(family => family.Name))}.");
        }
    }

    // What is shown and checked first of all is what is trained on.
    private static SourceSection Entry(AskedFamily share) =>
        new() { Family = share.Name, Name = share.Name, Level = $"{share.Level}", Weight = share.WeightIn(Split.Train) };

    private static Option<string?> Text(string name, string value, string description) =>
        new(name) { HelpName = value, Description = description };

    private static Option<string?> Words(string name, string description, IReadOnlyCollection<string> words)
    {
        var option = new Option<string?>(name) { HelpName = "NAME", Description = description };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !words.Contains(token.Value))
                result.AddError($"{name} '{token.Value}' is not known; {Suggestion.Remedy(token.Value, words)}");
        });
        return option;
    }
}
