using System.Globalization;
using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Verification;

namespace Distill.Data.Curation;

/// <summary>Two completions of one problem: one that the verifier accepts and one that it refuses.</summary>
internal sealed record TracePair(Trace Chosen, Trace Rejected);

/// <summary>
/// Pairs right completions with wrong ones of the same problem: preferences that no person and no model has to judge. What was truncated,
/// could not be read or says the same as another is left out. The outcome depends on the set of traces and the seed only. Stateless and
/// thread-safe.
/// </summary>
internal static class PreferencePairing
{
    /// <summary>Raised whenever the pairs of the same traces, seed and limit could change; part of cache keys.</summary>
    public const int Version = 1;

    /// <param name="perProblem">Most pairs of one problem. As long as there are enough, none of its completions is in two of them.</param>
    /// <returns>By problem id; none of problems whose completions are all right or all wrong.</returns>
    public static IReadOnlyList<TracePair> Of(IEnumerable<GradedTrace> traces, int perProblem, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(perProblem, 1);
        return
        [
            .. traces.Where(graded => graded.Trace.StopReason != "length").GroupBy(graded => graded.Trace.Problem.Id)
                .OrderBy(problem => problem.Key, StringComparer.Ordinal).SelectMany(problem => Pairs([.. problem], perProblem, seed)),
        ];
    }

    private static IEnumerable<TracePair> Pairs(IReadOnlyList<GradedTrace> problem, int limit, ulong seed)
    {
        var right = Drawn(problem, Verdict.Correct, seed);
        var wrong = Drawn(problem, Verdict.Incorrect, seed);
        if (right.Count == 0 || wrong.Count == 0) yield break;
        // Up to the longer list's length, places modulo the two lengths never meet twice.
        for (int i = 0; i < Math.Min(limit, Math.Max(right.Count, wrong.Count)); i++)
            yield return new TracePair(right[i % right.Count], wrong[i % wrong.Count]);
    }

    // In an order by seeded hash: a random one that the order of delivery does not change.
    private static List<Trace> Drawn(IReadOnlyList<GradedTrace> problem, Verdict verdict, ulong seed) =>
    [
        .. problem.Where(graded => graded.Verdict == verdict).Select(graded => graded.Trace)
            .OrderBy(trace => trace.SampleIndex).ThenBy(TraceDigest.Of, StringComparer.Ordinal)
            .DistinctBy(trace => (trace.Reasoning.Trim(), trace.Answer?.Trim()))
            .Select(trace => (Trace: trace, Draw: Draw(trace, seed)))
            .OrderBy(drawn => drawn.Draw).Select(drawn => drawn.Trace),
    ];

    private static ulong Draw(Trace trace, ulong seed) =>
        StableHash.Mix(StableHash.Of(TraceDigest.Of(trace) + seed.ToString(CultureInfo.InvariantCulture)));
}
