namespace Distill.Student.Preference.Losses;

/// <summary>
/// −log σ(c − δ) − log σ(δ − r), δ the mean reward of the steps before this one and 0 in the first: BCO (Jung et al. 2024, arXiv 2404.04656), a
/// classifier of good and bad whose threshold follows the model.
/// </summary>
public sealed class BinaryClassifierLoss(double beta) : IPreferenceLoss
{
    public double Evaluate(PreferenceBatch batch, Span<PairSlopes> slopes) => new RewardLoss(new Shifted(batch.Earlier.Mean), beta).Evaluate(batch, slopes);

    private sealed class Shifted(double threshold) : IRewardPenalty
    {
        public RewardPenalty Of(double chosen, double rejected) => new(
            -Logistic.Log(chosen - threshold) - Logistic.Log(threshold - rejected), -Logistic.Of(threshold - chosen), Logistic.Of(rejected - threshold));
    }
}
