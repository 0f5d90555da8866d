namespace Distill.Student.Preference.Losses;

/// <summary>1 − σ(c) + σ(r): APO-zero (D'Oosterlinck et al. 2024, arXiv 2408.06266), for pairs whose chosen completion is better than what the model writes.</summary>
/// <param name="share">½ counts each completion for itself: the mean over completions instead of pairs.</param>
public sealed class AnchoredZeroPenalty(double share = 1) : IRewardPenalty
{
    public RewardPenalty Of(double chosen, double rejected) =>
        new(share * (Logistic.Of(-chosen) + Logistic.Of(rejected)), -share * Logistic.Slope(chosen), share * Logistic.Slope(rejected));
}
