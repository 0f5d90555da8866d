namespace Distill.Pipeline.Reporting;

/// <summary>What curation left of the traces.</summary>
/// <param name="Dropped">Reason → traces dropped for it.</param>
public sealed record CurationReport(long Kept, IReadOnlyDictionary<string, long> Dropped);
