using Distill.Data.Verification;

namespace Distill.Data.Traces;

/// <summary>A trace with what the verifier and the curation rules said about it.</summary>
/// <param name="Trace">The evidence, unchanged.</param>
/// <param name="Verdict">What the problem family's verifier said.</param>
/// <param name="Verifier">Its name.</param>
/// <param name="VerifierVersion">Its version.</param>
/// <param name="Keep">Whether training may use the trace.</param>
/// <param name="DropReason">Why not, e.g. <c>truncated</c>; null exactly when it is kept.</param>
public sealed record GradedTrace(Trace Trace, Verdict Verdict, string Verifier, int VerifierVersion, bool Keep, string? DropReason);
