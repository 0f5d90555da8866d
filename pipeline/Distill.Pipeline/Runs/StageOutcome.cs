namespace Distill.Pipeline.Runs;

/// <param name="State"><c>done</c> or <c>cached</c>.</param>
/// <param name="Reason">Why, in words.</param>
internal sealed record StageOutcome(string State, string Reason);
