using Distill.Data.Verification;
using Distill.Generation;

namespace Distill.Student.Reinforcement;

/// <summary>A part of a reward and how much it counts.</summary>
public sealed record WeightedReward(IRewardPart Part, double Weight);

/// <summary>The weighted sum that a completion earns. Immutable, thread-safe.</summary>
public sealed class RewardRule(IReadOnlyList<WeightedReward> parts)
{
    /// <summary>The verifier's verdict and nothing else.</summary>
    public static RewardRule VerdictOnly { get; } = new([new WeightedReward(new VerdictReward(), 1)]);

    /// <summary>In the order of <see cref="Earned"/>.</summary>
    public IReadOnlyList<string> Names { get; } = [.. parts.Select(part => part.Part.Name)];

    /// <summary>What each part contributes, weighted; the reward is their sum.</summary>
    public double[] Earned(Verdict verdict, Completion completion) => [.. parts.Select(part => part.Weight * part.Part.Of(verdict, completion))];
}
