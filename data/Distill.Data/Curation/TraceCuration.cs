using Distill.Data.Problems;
using Distill.Data.Traces;

namespace Distill.Data.Curation;

/// <summary>Which traces may be trained on. Immutable; every field decides the outcome and belongs into cache keys.</summary>
public sealed record CurationOptions
{
    /// <summary>Names of the rules that apply; default all of <see cref="CurationRules.All"/>.</summary>
    public IReadOnlyList<string> Rules { get; init; } = [.. CurationRules.All.Select(rule => rule.Name)];

    /// <summary>Most traces kept of one question; default no limit.</summary>
    public int MaxPerProblem { get; init; } = int.MaxValue;
}

/// <summary>What curation made of a set of traces.</summary>
/// <param name="Traces">Every trace with its verdict, kept or not, by problem id and sample index.</param>
/// <param name="Kept">How many are kept.</param>
/// <param name="Dropped">How many each reason dropped, by reason; a trace counts once.</param>
public sealed record CurationResult(IReadOnlyList<GradedTrace> Traces, int Kept, IReadOnlyDictionary<string, int> Dropped);

/// <summary>
/// Grades traces and decides which may be trained on; a trace that may not is kept with the reason, never deleted. The outcome
/// depends on the set of traces only, not on the order in which workers delivered them. Stateless and thread-safe.
/// </summary>
public static class TraceCuration
{
    /// <summary>Raised whenever the outcome for the same traces, verifiers and options could change; part of cache keys.</summary>
    public const int Version = 1;

    /// <param name="traces">Traces of any problems; held in memory.</param>
    /// <param name="verifiers">Grades each problem by the verifier it names.</param>
    /// <param name="options">Which rules apply.</param>
    /// <exception cref="InvalidDataException">A trace's problem names a verifier that does not exist.</exception>
    /// <exception cref="ArgumentException">The options name an unknown rule.</exception>
    public static CurationResult Run(
        IEnumerable<Trace> traces, ProblemVerifiers verifiers, CurationOptions? options = null)
    {
        var rules = CurationRules.Create(options ?? new CurationOptions());
        var dropped = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var graded = new List<GradedTrace>();
        foreach (var trace in InOrder(traces))
        {
            var verifier = verifiers.Of(trace.Problem);
            var verdict = verifier.Verify(trace.Answer, trace.Problem);
            string? reason = rules.Select(rule => rule.DropReason(trace, verdict)).FirstOrDefault(reason => reason is not null);
            graded.Add(new GradedTrace(trace, verdict, verifier.Name, verifier.Version, reason is null, reason));
            if (reason is not null)
            {
                dropped[reason] = dropped.GetValueOrDefault(reason) + 1;
                continue;
            }

            foreach (var rule in rules) rule.Kept(trace);
        }

        return new CurationResult(graded, graded.Count(trace => trace.Keep), dropped);
    }

    // The digest settles ties between traces that differ in nothing a person would order by.
    private static IEnumerable<Trace> InOrder(IEnumerable<Trace> traces) =>
        traces.OrderBy(trace => trace.Problem.Id, StringComparer.Ordinal)
            .ThenBy(trace => trace.SampleIndex)
            .ThenBy(trace => trace.Seed)
            .ThenBy(TraceDigest.Of, StringComparer.Ordinal);
}
