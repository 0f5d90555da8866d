using System.Globalization;
using Distill.Data.Problems;
using Distill.Data.Problems.Twins;
using Distill.Pipeline.Recipes;

namespace Distill.Cli.Models;

/// <summary>Problems as a command names them: a file, or families with levels whose held-out problems are made on the spot.</summary>
internal static class ProblemSource
{
    public const int DefaultCount = 200;

    /// <param name="source">A path, or e.g. <c>arithmetic:2,words:2</c>.</param>
    /// <param name="limit">Null: all of a file, <see cref="DefaultCount"/> of families.</param>
    /// <param name="seed">Of made problems.</param>
    /// <exception cref="UsageException">Neither a file nor families, or there are not so many problems.</exception>
    /// <exception cref="InvalidDataException">A line of the file is no problem.</exception>
    public static IReadOnlyList<Problem> Load(string source, int? limit, ulong seed)
    {
        if (File.Exists(source)) return FromFile(source, limit ?? int.MaxValue);
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
        "Give a file of problems (.jsonl), or families with levels, e.g. arithmetic:2,words:2. "
        + $"Families: {string.Join(", ", ProblemFamilies.All.Select(family => family.Name))}.";

    // A twin beside its original is not a problem of its own.
    private static IReadOnlyList<Problem> FromFile(string file, int limit)
    {
        Problem[] problems = [.. ProblemFile.Read(file).Where(problem => ProblemId.TryParseTwin(problem.Id) is null)
            .Take(limit)];
        if (problems.Length == 0) throw new InvalidDataException($"'{file}' holds no problem.");
        return problems.FirstOrDefault(problem => ProblemVerifiers.Standard.TryGet(problem.Verifier) is null) is { } unknown
            ? throw new InvalidDataException(
                $"'{file}': problem '{unknown.Id}' asks for the verifier '{unknown.Verifier}', which does not exist.")
            : problems;
    }

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
