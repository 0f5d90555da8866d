using System.CommandLine;
using Distill.Cli.Models;
using Distill.Cli.Output;
using Distill.Cli.Parsing;
using Distill.Data.Problems;
using Distill.Data.Sources.Selection;
using Distill.Pipeline.Problems;
using Distill.Pipeline.Recipes.Sections;
using Distill.Tokenization;

namespace Distill.Cli.Commands;

/// <summary><c>distill problems show</c>: some problems of a source, as a model will be asked them.</summary>
internal sealed class ProblemsShowCommand : DistillCommand
{
    private readonly Argument<string> source = new("SOURCE")
    {
        Description = "File or pattern, a data set's folder, hf://datasets/owner/name, a recipe, or families such as arithmetic:2,words:1.",
    };

    private readonly SourceArguments arguments;
    private readonly Option<int> count = CommandOptions.Number("--count", "Problems shown.", 1, 1_000_000, 3);
    private readonly Option<int> skip = CommandOptions.Number("--skip", "Problems passed over before the first.", 0, 10_000_000, 0);

    public ProblemsShowCommand()
        : base("show", "Shows problems of a source as a model is asked them, each with its answer, split and verifier.")
    {
        Arguments.Add(source);
        arguments = new SourceArguments(this);
        Options.Add(count);
        Options.Add(skip);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "distill problems show data/train.jsonl",
        "distill problems show 'data/*.csv' --question title --answer result --count 10",
        "distill problems show knights:3",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        var shown = Problems(parsed.GetRequiredValue(source), parsed, context).Skip(parsed.GetValue(skip))
            .Take(parsed.GetValue(count)).ToList();
        if (context.IsJson) context.Results.Json(new { problems = shown.Select(Row) });
        else if (shown.Count == 0) context.Results.Line("There is no such problem.");
        foreach (var problem in shown) Show(problem, context.Results);
        return ExitCode.Done;
    }

    private IEnumerable<Problem> Problems(string word, ParseResult parsed, CommandContext context)
    {
        int wanted = parsed.GetValue(count) + parsed.GetValue(skip);
        if (ProblemSource.IsFamilies(word)) return ProblemSource.Load(word, wanted, 0);
        var problems = RecipeProblems.Of(arguments.SectionOf(word, parsed, context) with { OnBadRow = BadRows.Skip });
        SourceArguments.RequireFiles(problems);
        if (problems.Sources.All(entry => entry.Section.Family is not null))
            return problems.Take(Split.Train, wanted, context.Cancellation);
        return problems.Preview(wanted);
    }

    private static object Row(Problem problem) => new
    {
        problem.Id, problem.Source, problem.Domain, split = SplitRule.Word(problem.Split), problem.Level, problem.Verifier, problem.System,
        question = problem.Text, problem.Choices, answer = problem.ReferenceAnswer, solution = problem.ReferenceSolution,
    };

    private static void Show(Problem problem, ResultWriter results)
    {
        string domain = problem.Domain == problem.Source ? "" : $", {problem.Domain}";
        results.Line($"{problem.Id}  ({SplitRule.Word(problem.Split)}{domain}, level {problem.Level}, graded by {problem.Verifier})");
        if (problem.System is { } system) Part("system", system, results);
        Part("question", problem.Text, results);
        if (SolutionText.Of(problem) is { } solution) Part("solution", solution, results);
        Part("answer", problem.ReferenceAnswer, results);
        results.Line();
    }

    private static void Part(string name, string text, ResultWriter results)
    {
        results.Line($"  {name}");
        foreach (string line in WrappedText.Lines(text, 4)) results.Line(line);
    }
}

/// <summary><c>distill problems check</c>: what a source gives, and what of it cannot be used, with line numbers.</summary>
internal sealed class ProblemsCheckCommand : DistillCommand
{
    private readonly Argument<string> source = new("SOURCE")
    {
        Description = "File or pattern (.jsonl, .json, .csv, .tsv, .parquet; .gz, .zst), "
            + "a data set's folder, hf://datasets/owner/name, or a recipe.",
    };

    private readonly SourceArguments arguments;

    private readonly Option<string?> tokenizer =
        new("--tokenizer") { HelpName = "MODEL", Description = "Count lengths in tokens of this model's folder instead of characters." };

    private readonly Option<int> limit = CommandOptions.Number("--limit", "Rows listed of those that are left out.", 0, 1_000_000, 10);

    public ProblemsCheckCommand()
        : base("check", "Reads a source as a run would: counts, answers that no verifier can read, "
            + "repetitions, splits, lengths. Ends with 3 "
            + "where rows are no problems.")
    {
        Arguments.Add(source);
        arguments = new SourceArguments(this);
        Options.Add(tokenizer);
        Options.Add(limit);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "distill problems check data/train.jsonl",
        "distill problems check 'data/*.csv' --question '{title}\\n{body}' --answer result --verifier math",
        "distill problems check hf://datasets/openai/gsm8k --config main --tokenizer teacher/models/tiny-reasoner",
        "distill problems check recipes/quickstart.yaml --json",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        string word = parsed.GetRequiredValue(source);
        var section = arguments.SectionOf(word, parsed, context) with { OnBadRow = BadRows.Skip };
        var lengthOf = LengthOf(parsed.GetValue(tokenizer));
        var problems = RecipeProblems.Of(section);
        SourceArguments.RequireFiles(problems);
        var pool = problems.Pool(context.Cancellation);
        var checks = SourceCheck.Of(problems, pool, lengthOf);
        DroppedRow[] listed = [.. pool.Dropped.OrderBy(row => row.Problem is not null).Take(parsed.GetValue(limit))];
        string unit = parsed.GetValue(tokenizer) is null ? "characters" : "tokens";
        if (context.IsJson) context.Results.Json(new { sources = checks, lengthUnit = unit, dropped = listed.Select(Row) });
        else Show(checks, pool, listed, unit, context.Results);
        return checks.Any(check => check.Bad > 0) ? ExitCode.GateFailed : ExitCode.Done;
    }

    private static Func<string, int> LengthOf(string? folder)
    {
        if (folder is null) return text => text.Length;
        ModelFolders.RequireTokenizer(folder);
        var tokenizer = Tokenizer.Load(folder);
        return text => tokenizer.Encode(text).Length;
    }

    private static object Row(DroppedRow row) => new
    {
        row.Source, place = row.Place.ToString(), file = row.Place.File, row.Place.Unit, row.Place.Number, row.Reason, row.Detail,
        problemId = row.Problem?.Id,
    };

    private static void Show(
        IReadOnlyList<SourceCheck> checks, ProblemPool pool, DroppedRow[] listed, string unit, ResultWriter results)
    {
        if (checks.Count == 0) results.Line("Only generated families: there is nothing to check.");
        foreach (var check in checks) Show(check, unit, results);
        if (listed.Length == 0) return;
        results.Line();
        results.Line(listed.Length < pool.Dropped.Count
            ? $"left out (the first {listed.Length:N0} of {pool.Dropped.Count:N0}; --limit lists more):" : "left out:");
        foreach (var row in listed)
        {
            foreach (string line in WrappedText.Lines($"{row.Place}: {ProblemArtifact.SpokenOfOne(row.Reason)}: {row.Detail}", 2))
                results.Line(line);
        }
    }

    private static void Show(SourceCheck check, string unit, ResultWriter results)
    {
        string files = check.Files == 1 ? "" : $" in {check.Files:N0} files";
        string format = check.Format is { } name ? $", read as {name}" : "";
        results.Line($"{check.Name}: {check.Rows:N0} rows{files}{format}");
        results.Line($"  problems   {check.Problems:N0}");
        results.Line($"  splits     {Counts(check.Splits.Select(pair => (pair.Key, (long)pair.Value)))}");
        results.Line($"  graded by  {Counts(check.Verifiers.Select(pair => (pair.Key, (long)pair.Value)))}");
        results.Line($"  left out   {Counts(check.Dropped.Select(pair => (ProblemArtifact.Spoken(pair.Key), pair.Value)))}");
        foreach (var length in check.Lengths)
        {
            results.Line($"  {length.Kind,-9}  {length.Least:N0} to {length.Most:N0} {unit}, half of them up to {length.Median:N0}, "
                + $"95 % up to {length.High:N0}");
        }
    }

    private static string Counts(IEnumerable<(string Name, long Count)> counts) =>
        string.Join(", ", counts.Select(pair => $"{pair.Count:N0} {pair.Name}")) is { Length: > 0 } text ? text : "none";
}
