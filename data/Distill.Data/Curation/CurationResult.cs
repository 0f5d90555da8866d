using Distill.Data.Traces;

namespace Distill.Data.Curation;

/// <summary>What curation made of a set of traces.</summary>
/// <param name="Traces">Every trace with its verdict, kept or not, by problem id and sample index.</param>
/// <param name="Kept">How many are kept.</param>
/// <param name="Dropped">How many each reason dropped, by reason; a trace counts once.</param>
public sealed record CurationResult(IReadOnlyList<GradedTrace> Traces, int Kept, IReadOnlyDictionary<string, int> Dropped);
