using Distill.Data.Verification;
using Distill.Generation;

namespace Distill.Evaluation;

/// <summary>One graded completion.</summary>
/// <param name="Answer">Null when the completion has none or was cut off.</param>
/// <param name="AnswerClass">Equal for answers that mean the same (<see cref="IVerifier.ClassOf"/>); null when none can be read.</param>
/// <param name="Completion">Tokens, log-probabilities and why it stopped.</param>
public sealed record CompletionResult(Verdict Verdict, string Reasoning, string? Answer, string? AnswerClass, Completion Completion)
{
    public bool IsCorrect => Verdict == Verdict.Correct;

    public bool IsTruncated => Completion.StopReason == StopReason.Length;
}
