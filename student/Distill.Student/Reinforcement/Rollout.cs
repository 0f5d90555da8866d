using Distill.Data.Problems;
using Distill.Data.Verification;
using Distill.Generation;
using Distill.Student.Training;

namespace Distill.Student.Reinforcement;

/// <summary>A completion of the student during reinforcement, with what it earned.</summary>
/// <param name="Tokens">Prompt and completion.</param>
/// <param name="FirstSupervised">Length of the prompt.</param>
/// <param name="Completion">As sampled; its log-probabilities are the behaviour policy's.</param>
public sealed record Rollout(IReadOnlyList<int> Tokens, int FirstSupervised, Problem Problem, Completion Completion, Verdict Verdict, double Reward)
    : TrainingSequence(Tokens, FirstSupervised)
{
    /// <summary>How much better than its group, in deviations; filled by <see cref="GroupAdvantage"/>.</summary>
    public float Advantage { get; init; }

    public bool Truncated => Completion.StopReason == StopReason.Length;
}
