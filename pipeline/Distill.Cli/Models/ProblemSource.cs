using System.CommandLine;
using System.Globalization;
using Distill.Data.Problems.Twins;
using Distill.Data.Problems;
using Distill.Data.Sources.Files;
using Distill.Hub;
using Distill.Pipeline.Problems;
using Distill.Pipeline.Recipes;
using Distill.Teacher.Remote.Judging;

namespace Distill.Cli.Models;

/// <summary>
/// Problems as a command names them: a source of any kind, or families with levels whose held-out problems are made on the spot.
/// </summary>
internal static class ProblemSource
{
    public const int DefaultCount = 200;

    /// <summary>Whether a word is families with levels and nothing that lies on a disk.</summary>
    public static bool IsFamilies(string source) =>
        !Path.Exists(source) && ProblemFamilies.TryGet(source.Split(',', ':')[0].Trim()) is not null;

    /// <summary>
    /// Of a recipe its test problems, of a source all that it has: whoever names a file to be asked means all of it.
    /// </summary>
    /// <param name="limit">Null: all of a source, <see cref="DefaultCount"/> of families.</param>
    /// <param name="seed">Of made problems.</param>
    /// <exception cref="UsageException">There is no such source, or there are not so many problems.</exception>
    /// <exception cref="Data.Sources.Selection.BadRowsException">Rows of it are no problems.</exception>
    public static IReadOnlyList<Problem> Load(
        string source, int? limit, ulong seed, SourceArguments arguments, ParseResult parsed, CommandContext context)
    {
        bool isRecipe = SourceArguments.IsRecipe(source);
        if (!isRecipe && !Path.Exists(source) && !SourceFile.IsPattern(source) && !HubReference.IsReference(source))
            return Load(source, limit, seed);
        var section = arguments.SectionOf(source, parsed, context);
        if (isRecipe) return Graded(source, [.. RecipeProblems.Of(section).Take(Split.Test, limit ?? section.Test, context.Cancellation)]);
        // Every row once; nothing is held out of a file that is there to be asked.
        var problems = RecipeProblems.Of(section with { NearDuplicates = 1, SharedWords = 0 });
        SourceArguments.RequireFiles(problems);
        var pool = problems.Pool(context.Cancellation);
        Problem[] all =
            [.. pool.All().Where(problem => ProblemId.TryParseTwin(problem.Id) is null).Take(limit ?? int.MaxValue)];
        return all.Length > 0 ? Graded(source, all) : throw new InvalidDataException($"'{source}' holds no problem.");
    }

    /// <param name="source">E.g. <c>arithmetic:2,words:2</c>.</param>
    /// <param name="limit">Null: <see cref="DefaultCount"/>.</param>
    /// <param name="seed">Of made problems.</param>
    /// <exception cref="UsageException">They are no families, or there are not so many problems.</exception>
    public static IReadOnlyList<Problem> Load(string source, int? limit, ulong seed)
    {
        if (source.Contains('/') || source.EndsWith(".jsonl", StringComparison.Ordinal))
            throw new UsageException($"There is no problem file '{source}'.", Spelling);
        try
        {
            return ProblemSet.Generate([.. source.Split(',').Select(Part)], seed, Split.Test, limit ?? DefaultCount);
        }
        catch (ArgumentException e)
        {
            throw new UsageException($"--problems {source}: {e.Message.Split(" (Parameter", 2)[0]}", Spelling);
        }
    }

    /// <summary>The twins that can be made of the problems.</summary>
    public static IReadOnlyList<Problem> TwinsOf(IEnumerable<Problem> problems) =>
        [.. problems.SelectMany(ProblemTwins.Of).Select(twin => twin.Problem)];

    private static string Spelling =>
        "Give a file of problems (.jsonl, .csv, .parquet, ...), a data set's folder, hf://datasets/owner/name, a recipe, "
            + "or families with levels, e.g. arithmetic:2,words:2. "
        + $"Families: {string.Join(", ", ProblemFamilies.All.Select(family => family.Name))}.";

    private static Problem[] Graded(string source, Problem[] problems) =>
        problems.FirstOrDefault(problem => ProblemVerifiers.Standard.TryGet(problem.Verifier) is null) is { } unknown
            ? throw new InvalidDataException(
                unknown.Verifier == JudgeVerifier.JudgeName
                    ? $"'{source}': problem '{unknown.Id}' is graded by a judge, which this command does not ask. "
                        + "A judge belongs to 'distill run', whose recipe names it."
                    : $"'{source}': problem '{unknown.Id}' asks for the verifier '{unknown.Verifier}', which does not exist.")
            : problems;

    private static ProblemSetPart Part(string word)
    {
        string[] parts = word.Trim().Split(':');
        string[] names = [.. ProblemFamilies.All.Select(family => family.Name)];
        if (!names.Contains(parts[0]))
            throw new ArgumentException(
            $"there is no family '{parts[0]}'; {Suggestion.Remedy(parts[0], names)}");
        int level = 1;
        bool valid = parts.Length == 1
            || (parts.Length == 2 && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out level));
        return valid ? new ProblemSetPart(parts[0], level) : throw new ArgumentException($"'{word}' is not FAMILY:LEVEL.");
    }
}
