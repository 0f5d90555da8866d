namespace Distill.Student.Preference.Losses;

/// <summary>σ(c) + 1 − σ(c − r): APO-down (D'Oosterlinck et al. 2024, arXiv 2408.06266), for pairs whose chosen completion is worse than what the model writes.</summary>
public sealed class AnchoredDownPenalty : IRewardPenalty
{
    public RewardPenalty Of(double chosen, double rejected)
    {
        double between = Logistic.Slope(chosen - rejected);
        return new RewardPenalty(Logistic.Of(chosen) + Logistic.Of(rejected - chosen), Logistic.Slope(chosen) - between, between);
    }
}
