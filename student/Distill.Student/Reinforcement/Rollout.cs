using Distill.Data.Problems;
using Distill.Data.Verification;
using Distill.Generation;
using Distill.Student.Training;

namespace Distill.Student.Reinforcement;

/// <summary>A completion of the student during reinforcement, with what it earned.</summary>
/// <param name="Tokens">Prompt and completion.</param>
/// <param name="FirstSupervised">Length of the prompt.</param>
/// <param name="Completion">As sampled; its log-probabilities are the behaviour policy's.</param>
/// <param name="Reward">Sum of <see cref="Earned"/>; not a number where a part of it is none.</param>
public sealed record Rollout(IReadOnlyList<int> Tokens, int FirstSupervised, Problem Problem, Completion Completion, Verdict Verdict, double Reward)
    : TrainingSequence(Tokens, FirstSupervised)
{
    /// <summary>How much better than its group, in deviations; filled by <see cref="GroupAdvantage"/>.</summary>
    public float Advantage { get; init; }

    /// <summary>What each part of the <see cref="RewardRule"/> contributed.</summary>
    public IReadOnlyList<double> Earned { get; init; } = [];

    /// <summary>[completion]: log-probabilities under the reference model; empty where the loss has no use for them.</summary>
    public IReadOnlyList<float> ReferenceLogProbabilities { get; init; } = [];

    /// <summary>[completion]: entropies of the distributions the tokens were drawn from, in nats; empty where the loss has no use for them.</summary>
    public IReadOnlyList<float> Entropies { get; init; } = [];

    public bool Truncated => Completion.StopReason == StopReason.Length;
}
