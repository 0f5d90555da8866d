namespace Distill.Student.Preference.Losses;

/// <summary>
/// −log σ(c) − ½ log σ(−c) − ½ log σ(−r): noise-contrastive alignment for pairs (Chen et al. 2024, arXiv 2402.05369), which holds the
/// chosen completion's probability up where DPO may let both fall.
/// </summary>
public sealed class ContrastivePenalty : IRewardPenalty
{
    public RewardPenalty Of(double chosen, double rejected) => new(
        -Logistic.Log(chosen) - (0.5 * Logistic.Log(-chosen)) - (0.5 * Logistic.Log(-rejected)),
        (0.5 * Logistic.Of(chosen)) - Logistic.Of(-chosen),
        0.5 * Logistic.Of(rejected));
}
