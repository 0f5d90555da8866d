namespace Distill.Student.Preference;

/// <summary>All pairs of one optimiser step: losses that couple a batch couple the step, however it is cut into micro-batches.</summary>
public sealed record PreferenceBatch(IReadOnlyList<ScoredPair> Pairs)
{
    /// <summary>log π/π_reference of completions under prompts they do not belong to; what KTO measures its distance to the reference with.</summary>
    public IReadOnlyList<double> UnrelatedLogRatios { get; init; } = [];

    /// <summary>Rewards of the steps before this one.</summary>
    public RewardMean Earlier { get; init; }
}

/// <summary>A mean that grows with every step of a training.</summary>
public readonly record struct RewardMean(long Count, double Mean)
{
    public RewardMean With(IReadOnlyCollection<double> rewards) =>
        rewards.Count == 0 ? this : new RewardMean(Count + rewards.Count, Mean + ((rewards.Average() - Mean) * rewards.Count / (Count + rewards.Count)));
}
