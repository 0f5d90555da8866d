using Distill.Evaluation.Statistics;

namespace Distill.Pipeline.Reporting;

/// <summary>Two models on the same problems: <paramref name="Model"/> − <paramref name="Against"/>, in shares of problems solved.</summary>
/// <param name="Problems">Problems that both were asked.</param>
/// <param name="Greedy">Difference of the greedy answers; null when not compared.</param>
/// <param name="Sampled">Difference of the sampled shares; null when not compared.</param>
public sealed record ModelComparison(string Model, string Against, int Problems, PairedBootstrap? Greedy, PairedBootstrap? Sampled);
