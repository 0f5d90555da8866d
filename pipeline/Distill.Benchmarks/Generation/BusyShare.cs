namespace Distill.Benchmarks.Generation;

/// <summary>Share of slot-steps that advanced a completion.</summary>
/// <param name="WhileWaiting">As long as requests wait.</param>
/// <param name="WholeRun">To the end, when nothing is left to fill the slots with.</param>
internal readonly record struct BusyShare(double WhileWaiting, double WholeRun);
