using Distill.Data.Problems;
using Distill.Data.Traces;

namespace Distill.Data.Curation;

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
    public const int Version = 2;

    /// <param name="traces">Traces of any problems; held in memory. For more than fit there is <see cref="CurationPlan"/>.</param>
    /// <param name="verifiers">Grades each problem by the verifier it names.</param>
    /// <param name="options">Which rules apply.</param>
    /// <exception cref="InvalidDataException">A trace's problem names a verifier that does not exist.</exception>
    /// <exception cref="ArgumentException">The options name an unknown rule.</exception>
    public static CurationResult Run(IEnumerable<Trace> traces, ProblemVerifiers verifiers, CurationOptions? options = null) =>
        Run(traces, verifiers, options ?? new CurationOptions(), CurationEvidence.None);

    internal static CurationResult Run(
        IEnumerable<Trace> traces, ProblemVerifiers verifiers, CurationOptions options, CurationEvidence evidence)
    {
        var plan = new CurationPlan(verifiers, options, evidence);
        var all = traces.ToList();
        foreach (var trace in all) plan.Survey(trace);
        var summary = plan.Decide();
        return new CurationResult([.. plan.Order().Select(place => plan.Grade(place, all[place]))], summary.Kept, summary.Dropped);
    }
}

/// <summary>What a <see cref="CurationPlan"/> decided.</summary>
/// <param name="Examples">By reason, places of the first few traces dropped for it.</param>
internal sealed record CurationSummary(
    int Kept, IReadOnlyDictionary<string, int> Dropped, IReadOnlyDictionary<string, IReadOnlyList<int>> Examples)
{
    private const int ExamplesPerReason = 3;

    /// <param name="order">Places in an order that does not depend on the delivery.</param>
    /// <param name="reasonOf">Empty for what is kept.</param>
    public static CurationSummary Of(IEnumerable<int> order, Func<int, string> reasonOf)
    {
        int kept = 0;
        var dropped = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var examples = new SortedDictionary<string, IReadOnlyList<int>>(StringComparer.Ordinal);
        foreach (int place in order)
        {
            string reason = reasonOf(place);
            if (reason.Length == 0)
            {
                kept++;
                continue;
            }

            int count = dropped[reason] = dropped.GetValueOrDefault(reason) + 1;
            if (count <= ExamplesPerReason) examples[reason] = [.. examples.GetValueOrDefault(reason, []), place];
        }

        return new CurationSummary(kept, dropped, examples);
    }
}
