using Distill.Data.Problems;
using Distill.Data.Sources;
using Distill.Data.Sources.Selection;
using Distill.Verification.Named;

namespace Distill.Pipeline.Problems;

/// <summary>What a source gives, in figures.</summary>
/// <param name="Files">How many files it is.</param>
/// <param name="Format">How its rows are read; null where it has none.</param>
/// <param name="Problems">Left when bad rows, repetitions and what is too near to held-out ones are gone.</param>
/// <param name="Dropped">Counts by reason.</param>
/// <param name="Splits">Problems left, by split.</param>
/// <param name="Verifiers">Problems left, by who grades them.</param>
/// <param name="Lengths">Of questions, answers and solutions.</param>
internal sealed record SourceCheck(
    string Name, string Kind, string Place, int Files, string? Format, long Rows, int Problems,
    IReadOnlyDictionary<string, long> Dropped, IReadOnlyDictionary<string, int> Splits, IReadOnlyDictionary<string, int> Verifiers,
    IReadOnlyList<LengthCheck> Lengths)
{
    /// <summary>Rows that are no problem, or whose answer no verifier can read.</summary>
    public long Bad => Dropped.GetValueOrDefault(DropReason.BadRow) + Dropped.GetValueOrDefault(DropReason.UnreadableGold);

    /// <param name="lengthOf">A text's length in the unit that is asked for.</param>
    public static IReadOnlyList<SourceCheck> Of(RecipeProblems problems, ProblemPool pool, Func<string, int> lengthOf)
    {
        var checks = new List<SourceCheck>();
        int pooled = 0;
        foreach (var source in problems.Sources.Where(source => source.Section.Family is null))
        {
            var report = pool.Reports[pooled];
            int place = pooled++;
            Problem[] left = [.. Enum.GetValues<Split>().SelectMany(split => pool.Of(place, split))];
            checks.Add(new SourceCheck(
                source.Section.Name, source.Kind, source.Place, source.Files.Count,
                (source.ToSource(null, questionsOnly: false) as FileSource)?.Format?.Name, report.Rows, left.Length, report.Dropped,
                report.Left.OrderBy(pair => pair.Key).ToDictionary(pair => SplitRule.Word(pair.Key), pair => pair.Value),
                left.CountBy(VerifierOf).OrderByDescending(pair => pair.Value)
                    .ThenBy(pair => pair.Key, StringComparer.Ordinal).ToDictionary(),
                LengthsOf(left, lengthOf)));
        }

        return checks;
    }

    private static string VerifierOf(Problem problem) =>
        problem.Verifier == ProblemMaker.Auto ? AutoVerifier.ChosenFor(problem).Name : problem.Verifier;

    private static IReadOnlyList<LengthCheck> LengthsOf(Problem[] problems, Func<string, int> lengthOf)
    {
        LengthCheck?[] kinds =
        [
            LengthCheck.Of("question", problems.Select(problem => problem.Text), lengthOf),
            LengthCheck.Of("answer", problems.Select(problem => problem.ReferenceAnswer), lengthOf),
            LengthCheck.Of("solution", problems.Select(SolutionText.Of).OfType<string>(), lengthOf),
        ];
        return [.. kinds.OfType<LengthCheck>()];
    }
}

/// <summary>How long the texts of a kind are.</summary>
/// <param name="High">Of 100, 95 are no longer.</param>
internal sealed record LengthCheck(string Kind, int Count, int Least, int Median, int High, int Most)
{
    /// <returns>Null where there are none.</returns>
    public static LengthCheck? Of(string kind, IEnumerable<string> texts, Func<string, int> lengthOf)
    {
        int[] lengths = [.. texts.Select(lengthOf).Order()];
        return lengths.Length == 0 ? null
            : new(kind, lengths.Length, lengths[0], lengths[lengths.Length / 2],
                lengths[(int)Math.Ceiling(0.95 * lengths.Length) - 1], lengths[^1]);
    }
}
