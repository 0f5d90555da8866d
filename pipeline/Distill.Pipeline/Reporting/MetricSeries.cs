namespace Distill.Pipeline.Reporting;

/// <summary>One measurement of a stage over its steps: a learning curve.</summary>
/// <param name="Name">E.g. <c>loss</c>, <c>reward</c>, <c>held_out</c>, <c>entropy</c>.</param>
/// <param name="Points">By rising step; values that are not finite are left out of the plot.</param>
public sealed record MetricSeries(string Stage, string Name, IReadOnlyList<(double Step, double Value)> Points);
