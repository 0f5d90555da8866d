namespace Distill.Student.Preference.Losses;

/// <summary>
/// w₊·(1 − σ(β(log-ratio − z))) of chosen and w₋·(1 − σ(β(z − log-ratio))) of rejected completions, mean over completions: KTO (Ethayarajh et al.
/// 2024, arXiv 2402.01306). z is the distance to the reference, estimated on completions of other prompts; never negative, without slope.
/// </summary>
public sealed class ProspectLoss(double beta, double desirableWeight, double undesirableWeight) : IPreferenceLoss
{
    public double Evaluate(PreferenceBatch batch, Span<PairSlopes> slopes)
    {
        double distance = Distance(batch), sum = 0;
        int completions = 2 * batch.Pairs.Count;
        for (int i = 0; i < batch.Pairs.Count; i++)
        {
            double gain = beta * (batch.Pairs[i].Chosen.LogRatio - distance), loss = beta * (distance - batch.Pairs[i].Rejected.LogRatio);
            sum += (desirableWeight * Logistic.Of(-gain)) + (undesirableWeight * Logistic.Of(-loss));
            slopes[i] = new PairSlopes(
                -beta * desirableWeight * Logistic.Slope(gain) / completions, beta * undesirableWeight * Logistic.Slope(loss) / completions);
        }

        return sum / completions;
    }

    /// <summary>z, in nats.</summary>
    public static double Distance(PreferenceBatch batch) => batch.UnrelatedLogRatios.Count == 0 ? 0 : Math.Max(0, batch.UnrelatedLogRatios.Average());
}
