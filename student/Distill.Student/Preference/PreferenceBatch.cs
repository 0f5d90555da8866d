namespace Distill.Student.Preference;

/// <summary>
/// A loss over the pairs of one optimiser step that depends on the model through the completions' summed log-probabilities alone, as every
/// loss of the DPO family does. Stateless and thread-safe.
/// </summary>
internal interface IPreferenceLoss
{
    /// <param name="slopes">[pairs], to be filled.</param>
    /// <returns>Mean over the pairs.</returns>
    double Evaluate(PreferenceBatch batch, Span<PairSlopes> slopes);
}

/// <summary>One completion of a pair as a loss sees it.</summary>
/// <param name="LogProbability">Summed over its tokens, under the weights that are trained.</param>
/// <param name="Reference">The same under the weights the training started from; 0 where a loss has no use for it.</param>
/// <param name="Tokens">At least 1.</param>
internal readonly record struct CompletionScore(double LogProbability, double Reference, int Tokens)
{
    /// <summary>log π/π_reference of the whole completion, in nats.</summary>
    public double LogRatio => LogProbability - Reference;

    public double LogProbabilityPerToken => LogProbability / Tokens;

    public double LogRatioPerToken => LogRatio / Tokens;
}

/// <summary>A better and a worse completion of one prompt.</summary>
internal readonly record struct ScoredPair(CompletionScore Chosen, CompletionScore Rejected);

/// <summary>Derivatives of a step's loss by the summed log-probabilities of a pair: those of each of their tokens too.</summary>
internal readonly record struct PairSlopes(double Chosen, double Rejected);

/// <summary>All pairs of one optimiser step: losses that couple a batch couple the step, however it is cut into micro-batches.</summary>
internal sealed record PreferenceBatch(IReadOnlyList<ScoredPair> Pairs)
{
    /// <summary>
    /// log π/π_reference of completions under prompts they do not belong to; what KTO measures its distance to the reference with.
    /// </summary>
    public IReadOnlyList<double> UnrelatedLogRatios { get; init; } = [];

    /// <summary>Rewards of the steps before this one.</summary>
    public RewardMean Earlier { get; init; }
}

/// <summary>A mean that grows with every step of a training.</summary>
internal readonly record struct RewardMean(long Count, double Mean)
{
    public RewardMean With(IReadOnlyCollection<double> rewards) =>
        rewards.Count == 0 ? this
        : new RewardMean(Count + rewards.Count, Mean + ((rewards.Average() - Mean) * rewards.Count / (Count + rewards.Count)));
}

/// <summary>What the rewards of a step's pairs look like.</summary>
/// <param name="Chosen">Mean reward of the chosen completions.</param>
/// <param name="Rejected">Of the rejected ones.</param>
/// <param name="Accuracy">Share of the pairs whose chosen completion has the larger reward.</param>
public sealed record PreferenceMetrics(double Chosen, double Rejected, double Accuracy)
{
    public double Margin => Chosen - Rejected;

    internal static PreferenceMetrics Of(PreferenceLossKind kind, double beta, IReadOnlyList<ScoredPair> pairs) => new(
        pairs.Average(pair => kind.Reward(pair.Chosen, beta)),
        pairs.Average(pair => kind.Reward(pair.Rejected, beta)),
        pairs.Average(pair => kind.Reward(pair.Chosen, beta) > kind.Reward(pair.Rejected, beta) ? 1.0 : 0));
}
