using Distill.Pipeline.Reporting;

namespace Distill.Pipeline.Runs;

/// <param name="Reason">Why, in words.</param>
internal sealed record StageOutcome(StageState State, string Reason);
