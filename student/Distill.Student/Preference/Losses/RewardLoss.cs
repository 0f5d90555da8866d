namespace Distill.Student.Preference.Losses;

/// <summary>Mean of a penalty on the rewards of each pair: β times the log-ratios of whole completions.</summary>
public sealed class RewardLoss(IRewardPenalty penalty, double beta) : IPreferenceLoss
{
    public double Evaluate(PreferenceBatch batch, Span<PairSlopes> slopes)
    {
        double sum = 0;
        int count = batch.Pairs.Count;
        for (int i = 0; i < count; i++)
        {
            var (value, chosen, rejected) = penalty.Of(beta * batch.Pairs[i].Chosen.LogRatio, beta * batch.Pairs[i].Rejected.LogRatio);
            sum += value;
            slopes[i] = new PairSlopes(beta * chosen / count, beta * rejected / count);
        }

        return sum / count;
    }
}
