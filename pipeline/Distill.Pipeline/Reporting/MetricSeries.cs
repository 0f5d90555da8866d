namespace Distill.Pipeline.Reporting;

/// <summary>One measurement over the steps of a training stage.</summary>
/// <param name="Name">As in the stage's curve, e.g. <c>loss</c>.</param>
public sealed record MetricSeries(string Stage, string Name, IReadOnlyList<(double Step, double Value)> Points);
