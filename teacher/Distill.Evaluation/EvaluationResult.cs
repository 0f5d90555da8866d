using Distill.Data.Problems;
using Distill.Verification;
using Distill.Evaluation.Statistics;
using Distill.Generation;

namespace Distill.Evaluation;

/// <summary>Every problem's result and what follows from them.</summary>
/// <param name="Problems">In the order of the problems given.</param>
/// <param name="Twins">In the order of the twins given; greedy only.</param>
internal sealed record EvaluationResult(
    EvaluationReport Report, IReadOnlyList<ProblemResult> Problems, IReadOnlyList<ProblemResult> Twins, GenerationProgress Totals);

/// <summary>What became of one problem.</summary>
/// <param name="Samples">Empty when none were drawn.</param>
internal sealed record ProblemResult(Problem Problem, CompletionResult Greedy, IReadOnlyList<CompletionResult> Samples)
{
    /// <summary>Share of the samples that are right; null without samples.</summary>
    public double? SampledShare =>
        Samples.Count == 0 ? null : PassAtK.Estimate(Samples.Count, Samples.Count(sample => sample.IsCorrect), 1);
}

/// <summary>One graded completion.</summary>
/// <param name="Answer">Null when the completion has none or was cut off.</param>
/// <param name="AnswerClass">Equal for answers that mean the same (<see cref="IVerifier.ClassOf"/>); null when none can be read.</param>
/// <param name="Completion">Tokens, log-probabilities and why it stopped.</param>
internal sealed record CompletionResult(Verdict Verdict, string Reasoning, string? Answer, string? AnswerClass, Completion Completion)
{
    public bool IsCorrect => Verdict == Verdict.Correct;

    public bool IsTruncated => Completion.StopReason == StopReason.Length;
}
