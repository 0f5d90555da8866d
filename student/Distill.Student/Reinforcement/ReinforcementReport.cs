namespace Distill.Student.Reinforcement;

/// <summary>What one policy update did.</summary>
/// <param name="Step">1 for the first.</param>
/// <param name="MeanReward">Over all rollouts of the step.</param>
/// <param name="DeadGroups">Share of problems whose completions all earned the same and teach nothing.</param>
/// <param name="Truncated">Share of rollouts cut at the token limit.</param>
/// <param name="Entropy">Of the policy at the learned tokens, in nats.</param>
/// <param name="MeanTokens">Completion length.</param>
/// <param name="Mismatch">
/// Mean |log π_trainer − log π_sampler| over the learned tokens: how far the two computations of the same policy lie apart.
/// </param>
/// <param name="CompletionTokens">Sampled in the step.</param>
/// <param name="HeldOut">
/// Accuracy on the held-out problems, when it was measured after this step; of the average where there is one.
/// </param>
internal sealed record ReinforcementStepReport(
    int Step, int Steps, double MeanReward, double DeadGroups, double Truncated, double Entropy, double MeanTokens, double GradientNorm,
    double Mismatch, double LearningRate, long CompletionTokens, double GenerationSeconds, double TrainingSeconds,
    PolicyScore? HeldOut)
{
    /// <summary>Largest |log π_trainer − log π_sampler| of a learned token.</summary>
    public double LargestMismatch { get; init; }

    /// <summary>Mean k3 estimate of KL(π‖reference) over the learned tokens, in nats; null without a reference.</summary>
    public double? ReferenceDistance { get; init; }

    /// <summary>
    /// Mean divergence from the teacher at the places of the learned tokens, in nats; null where it is known of the tokens alone.
    /// </summary>
    public double? TeacherDivergence { get; init; }

    /// <summary>
    /// Share of the learned tokens, or completions, beyond each bound of the ratio, over the step's updates; null with one update, where
    /// all ratios are 1.
    /// </summary>
    public (double Low, double High)? Clipped { get; init; }

    /// <summary>Mean of each part of the reward, weighted, over all rollouts of the step.</summary>
    public IReadOnlyDictionary<string, double> RewardParts { get; init; } = new Dictionary<string, double>();

    /// <summary>Problems asked beyond the planned ones because groups were dead.</summary>
    public int Resampled { get; init; }

    /// <summary>
    /// Of the planned groups, those for which no other was found when the rounds of replacing were used up: the update had so many fewer. 0
    /// where dead groups are not replaced.
    /// </summary>
    public int StayedDead { get; init; }

    /// <summary>What the alarms found at this step.</summary>
    public IReadOnlyList<Monitoring.AlarmFinding> Findings { get; init; } = [];
}

/// <summary>Accuracy on the held-out problems before the first update and at the best one.</summary>
/// <param name="BestStep">0 when no update did better than the start, which then is the result.</param>
/// <param name="Steps">Updates made: fewer than planned when an alarm ended the training.</param>
/// <param name="Findings">What the alarms found, by step.</param>
internal sealed record ReinforcementResult(
    PolicyScore Before, PolicyScore Best, int BestStep, int Steps, IReadOnlyList<Monitoring.AlarmFinding> Findings)
{
    /// <summary>Tokens sampled to learn from, over all updates.</summary>
    public long CompletionTokens { get; init; }
}
