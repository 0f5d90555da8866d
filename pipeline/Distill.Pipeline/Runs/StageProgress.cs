namespace Distill.Pipeline.Runs;

/// <summary>How far a stage is.</summary>
/// <param name="Done">In units of <paramref name="Unit"/>.</param>
/// <param name="Total">At least <paramref name="Done"/>.</param>
/// <param name="Unit">Plural, e.g. <c>traces</c>, <c>steps</c>.</param>
/// <param name="Detail">What else is worth a glance, e.g. <c>loss 0.123</c> or <c>teacher</c>; may be empty.</param>
/// <param name="Rate">Units of <paramref name="RateUnit"/> per second; 0 when unknown.</param>
/// <param name="RateUnit">e.g. <c>tokens/s</c>.</param>
public readonly record struct StageProgress(double Done, double Total, string Unit, string Detail = "", double Rate = 0, string RateUnit = "");
