namespace Distill.Student.Preference;

/// <summary>A loss of the two rewards of a pair, where more than their difference counts. Stateless.</summary>
internal interface IRewardPenalty
{
    RewardPenalty Of(double chosen, double rejected);
}

/// <summary>Value, and derivatives by the two rewards.</summary>
internal readonly record struct RewardPenalty(double Value, double ChosenSlope, double RejectedSlope);

/// <summary>Mean of a penalty on the rewards of each pair: β times the log-ratios of whole completions.</summary>
internal sealed class RewardLoss(IRewardPenalty penalty, double beta) : IPreferenceLoss
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

/// <summary>
/// −log σ(c) − ½ log σ(−c) − ½ log σ(−r): noise-contrastive alignment for pairs (Chen et al. 2024, arXiv 2402.05369), which holds the
/// chosen completion's probability up where DPO may let both fall.
/// </summary>
internal sealed class ContrastivePenalty : IRewardPenalty
{
    public RewardPenalty Of(double chosen, double rejected) => new(
        -Logistic.Log(chosen) - (0.5 * Logistic.Log(-chosen)) - (0.5 * Logistic.Log(-rejected)),
        (0.5 * Logistic.Of(chosen)) - Logistic.Of(-chosen),
        0.5 * Logistic.Of(rejected));
}

/// <summary>(c/β − 1/2β)² + (r/β + 1/2β)²: SPPO with hard labels (Wu et al. 2024, arXiv 2405.00675).</summary>
internal sealed class SelfPlayPenalty(double beta) : IRewardPenalty
{
    public RewardPenalty Of(double chosen, double rejected)
    {
        double above = (chosen - 0.5) / beta, below = (rejected + 0.5) / beta;
        return new RewardPenalty((above * above) + (below * below), 2 * above / beta, 2 * below / beta);
    }
}

/// <summary>
/// 1 − σ(c) + σ(r): APO-zero (D'Oosterlinck et al. 2024, arXiv 2408.06266), for pairs whose chosen completion is better than what the model
/// writes.
/// </summary>
/// <param name="share">½ counts each completion for itself: the mean over completions instead of pairs.</param>
internal sealed class AnchoredZeroPenalty(double share = 1) : IRewardPenalty
{
    public RewardPenalty Of(double chosen, double rejected) =>
        new(share * (Logistic.Of(-chosen) + Logistic.Of(rejected)), -share * Logistic.Slope(chosen), share * Logistic.Slope(rejected));
}

/// <summary>
/// σ(c) + 1 − σ(c − r): APO-down (D'Oosterlinck et al. 2024, arXiv 2408.06266), for pairs whose chosen completion is worse than what the
/// model writes.
/// </summary>
internal sealed class AnchoredDownPenalty : IRewardPenalty
{
    public RewardPenalty Of(double chosen, double rejected)
    {
        double between = Logistic.Slope(chosen - rejected);
        return new RewardPenalty(Logistic.Of(chosen) + Logistic.Of(rejected - chosen), Logistic.Slope(chosen) - between, between);
    }
}

/// <summary>
/// −log σ(c − δ) − log σ(δ − r), δ the mean reward of the steps before this one and 0 in the first: BCO (Jung et al. 2024, arXiv
/// 2404.04656), a classifier of good and bad whose threshold follows the model.
/// </summary>
internal sealed class BinaryClassifierLoss(double beta) : IPreferenceLoss
{
    public double Evaluate(PreferenceBatch batch, Span<PairSlopes> slopes) =>
        new RewardLoss(new Shifted(batch.Earlier.Mean), beta).Evaluate(batch, slopes);

    private sealed class Shifted(double threshold) : IRewardPenalty
    {
        public RewardPenalty Of(double chosen, double rejected) => new(
            -Logistic.Log(chosen - threshold) - Logistic.Log(threshold - rejected), -Logistic.Of(threshold - chosen),
            Logistic.Of(rejected - threshold));
    }
}

/// <summary>
/// w₊·(1 − σ(β(log-ratio − z))) of chosen and w₋·(1 − σ(β(z − log-ratio))) of rejected completions, mean over completions: KTO (Ethayarajh
/// et al. 2024, arXiv 2402.01306). z is the distance to the reference, estimated on completions of other prompts; never negative, without
/// slope.
/// </summary>
internal sealed class ProspectLoss(double beta, double desirableWeight, double undesirableWeight) : IPreferenceLoss
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
                -beta * desirableWeight * Logistic.Slope(gain) / completions,
                beta * undesirableWeight * Logistic.Slope(loss) / completions);
        }

        return sum / completions;
    }

    /// <summary>z, in nats.</summary>
    public static double Distance(PreferenceBatch batch) =>
        batch.UnrelatedLogRatios.Count == 0 ? 0 : Math.Max(0, batch.UnrelatedLogRatios.Average());
}

/// <summary>
/// Cross-entropy of the chosen completions, per token of the step, − β·log σ(log odds ratio) of the pairs, odds by the mean log-probability
/// of a token: ORPO (Hong et al. 2024, arXiv 2403.07691). Needs no reference.
/// </summary>
internal sealed class OddsRatioLoss(double beta) : IPreferenceLoss
{
    private const double Certain = -1e-9; // a completion of probability 1 has no finite odds

    public double Evaluate(PreferenceBatch batch, Span<PairSlopes> slopes)
    {
        long tokens = batch.Pairs.Sum(pair => (long)pair.Chosen.Tokens);
        int count = batch.Pairs.Count;
        double crossEntropy = 0, preference = 0;
        for (int i = 0; i < count; i++)
        {
            var (chosen, rejected) = batch.Pairs[i];
            var (chosenOdds, chosenSlope) = LogOdds(chosen);
            var (rejectedOdds, rejectedSlope) = LogOdds(rejected);
            crossEntropy -= chosen.LogProbability;
            preference += Logistic.Log(chosenOdds - rejectedOdds);
            double slope = -beta * Logistic.Of(rejectedOdds - chosenOdds) / count;
            slopes[i] = new PairSlopes((slope * chosenSlope) - (1.0 / tokens), -slope * rejectedSlope);
        }

        return (crossEntropy / tokens) - (beta * preference / count);
    }

    /// <returns>log p/(1−p), and its derivative by the summed log-probability.</returns>
    public static (double Value, double Slope) LogOdds(CompletionScore completion)
    {
        double mean = Math.Min(completion.LogProbabilityPerToken, Certain), rest = 1 - Math.Exp(mean);
        return (mean - Math.Log(rest), 1 / rest / completion.Tokens);
    }
}

/// <summary>The logistic function and its logarithm, without overflow for any argument.</summary>
internal static class Logistic
{
    public static double Of(double x) => x >= 0 ? 1 / (1 + Math.Exp(-x)) : Math.Exp(x) / (1 + Math.Exp(x));

    /// <summary>log σ(x); its derivative is σ(−x).</summary>
    public static double Log(double x) => Math.Min(x, 0) - Math.Log(1 + Math.Exp(-Math.Abs(x)));

    /// <summary>dσ/dx.</summary>
    public static double Slope(double x) => Of(x) * Of(-x);
}
