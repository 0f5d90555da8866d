using Distill.Data.Traces;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages.Data;
using Distill.Storage;
using Distill.Verification;

namespace Distill.Pipeline.Reporting.Gathering;

/// <summary>Lengths of the teacher's traces and of the models' answers, in classes that are the same for all of them.</summary>
internal static class CompletionLengths
{
    private const int Classes = 24;

    /// <param name="curated">The graded traces; null where the run has none.</param>
    public static IReadOnlyList<LengthReport> Of(
        string teacher, Artifact? curated, IReadOnlyList<(string Model, IReadOnlyList<SheetAnswer> Answers)> sheets)
    {
        var all = new List<(string Model, bool AreTraces, List<(int Tokens, Verdict Verdict)> Lengths)>();
        if (curated is not null && Traces(curated) is { Count: > 0 } traces) all.Add((teacher, true, traces));
        foreach (var (model, answers) in sheets)
            all.Add((model, false, [.. answers.Select(answer => (answer.TokenCount, VerdictOf(answer)))]));
        int longest = all.SelectMany(each => each.Lengths).Select(length => length.Tokens).DefaultIfEmpty(0).Max();
        int width = RoundWidth((longest / Classes) + 1);
        return
        [
            .. all.Where(each => each.Lengths.Count > 0)
                .Select(each => Report(each.Model, each.AreTraces, each.Lengths, width, longest)),
        ];
    }

    private static LengthReport Report(string model, bool areTraces, List<(int Tokens, Verdict Verdict)> lengths, int width, int longest)
    {
        var counts = new long[(longest / width) + 1, 3];
        foreach (var (tokens, verdict) in lengths) counts[tokens / width, Column(verdict)]++;
        int[] sorted = [.. lengths.Select(length => length.Tokens).Order()];
        return new LengthReport(
            model, areTraces, lengths.Count, sorted.Average(), sorted[(sorted.Length - 1) / 2], sorted[^1], width,
            [
                .. Enumerable.Range(0, counts.GetLength(0))
                    .Select(place => new LengthClass(counts[place, 0], counts[place, 1], counts[place, 2])),
            ]);
    }

    private static Verdict VerdictOf(SheetAnswer answer) => answer.Greedy ? Verdict.Correct : Verdict.Incorrect;

    private static int Column(Verdict verdict) => verdict switch
    {
        Verdict.Correct => 0,
        Verdict.Incorrect => 1,
        _ => 2,
    };

    // 1, 2 or 5 times a power of ten, so that the classes' edges can be read.
    private static int RoundWidth(int atLeast)
    {
        int power = 1;
        while (power * 10 <= atLeast) power *= 10;
        return power >= atLeast ? power : 2 * power >= atLeast ? 2 * power : 5 * power >= atLeast ? 5 * power : 10 * power;
    }

    private static List<(int Tokens, Verdict Verdict)> Traces(Artifact curated) =>
    [
        .. CuratedFiles.PathsOf(new StageInput(curated.Folder, curated.Digest, curated)).SelectMany(TraceFile.ReadLengths)
            .Select(trace => (trace.CompletionTokens, trace.Verdict)),
    ];
}
