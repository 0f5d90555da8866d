namespace Distill.Benchmarks.Workloads;

/// <summary>A model that a benchmark needs is not there; its figures are not applicable for this reason.</summary>
internal sealed class WorkloadAbsentException(string message) : Exception(message);
