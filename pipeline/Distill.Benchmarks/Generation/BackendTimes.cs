namespace Distill.Benchmarks.Generation;

/// <summary>Seconds spent inside a backend.</summary>
/// <param name="Opening">Allocating and freeing sessions.</param>
internal readonly record struct BackendTimes(double Opening, double Prefilling, double Stepping, double Copying);
