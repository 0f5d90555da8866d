using Distill.Evaluation.Statistics;
using Distill.Data.Problems;

namespace Distill.Evaluation;

/// <summary>What became of one problem.</summary>
/// <param name="Samples">Empty when none were drawn.</param>
public sealed record ProblemResult(Problem Problem, CompletionResult Greedy, IReadOnlyList<CompletionResult> Samples)
{
    /// <summary>Share of the samples that are right; null without samples.</summary>
    public double? SampledShare => Samples.Count == 0 ? null : PassAtK.Estimate(Samples.Count, Samples.Count(sample => sample.IsCorrect), 1);
}
