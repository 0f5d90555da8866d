namespace Distill.Student.Preference;

/// <summary>A loss of one number: by how much the chosen completion's reward leads the rejected one's. Stateless.</summary>
internal interface IMarginPenalty
{
    /// <returns>Value and derivative by the margin.</returns>
    (double Value, double Slope) Of(double margin);
}

/// <summary>What a pair's margin is the difference of.</summary>
internal enum PairMargin
{
    /// <summary>Log-ratios of whole completions.</summary>
    Whole,

    /// <summary>Log-ratios per token.</summary>
    PerToken,

    /// <summary>Log-probabilities per token.</summary>
    PerTokenWithoutReference,
}

/// <summary>Mean of a penalty on β times each pair's margin.</summary>
internal sealed class MarginLoss(IMarginPenalty penalty, double beta, PairMargin margin = PairMargin.Whole) : IPreferenceLoss
{
    public double Evaluate(PreferenceBatch batch, Span<PairSlopes> slopes)
    {
        double sum = 0;
        int count = batch.Pairs.Count;
        for (int i = 0; i < count; i++)
        {
            var (chosen, rejected) = batch.Pairs[i];
            var (value, slope) = penalty.Of(beta * (Of(chosen) - Of(rejected)));
            sum += value;
            slopes[i] = new PairSlopes(beta * slope / Length(chosen) / count, -beta * slope / Length(rejected) / count);
        }

        return sum / count;
    }

    private double Of(CompletionScore completion) => margin switch
    {
        PairMargin.Whole => completion.LogRatio,
        PairMargin.PerToken => completion.LogRatioPerToken,
        PairMargin.PerTokenWithoutReference => completion.LogProbabilityPerToken,
        _ => throw new InvalidOperationException($"Unknown margin {margin}."),
    };

    private int Length(CompletionScore completion) => margin == PairMargin.Whole ? 1 : completion.Tokens;
}

/// <summary>
/// Alignment by optimal transport (Melnyk et al. 2024, arXiv 2406.05882): the penalty compares not pairs but the step's sorted values,
/// quantile by quantile, so that the one distribution comes to dominate the other.
/// </summary>
/// <param name="paired">Sorts the model's and the reference's margins; else the log-ratios of chosen and of rejected completions.</param>
internal sealed class SortedMarginLoss(IMarginPenalty penalty, double beta, bool paired) : IPreferenceLoss
{
    public double Evaluate(PreferenceBatch batch, Span<PairSlopes> slopes)
    {
        var pairs = batch.Pairs;
        double[] upper =
            [.. pairs.Select(pair => paired ? pair.Chosen.LogProbability - pair.Rejected.LogProbability : pair.Chosen.LogRatio)];
        double[] lower = [.. pairs.Select(pair => paired ? pair.Chosen.Reference - pair.Rejected.Reference : pair.Rejected.LogRatio)];
        int[] upperOrder = Order(upper), lowerOrder = Order(lower);
        double[] chosen = new double[pairs.Count], rejected = new double[pairs.Count];
        double sum = 0;
        for (int rank = 0; rank < pairs.Count; rank++)
        {
            var (value, slope) = penalty.Of(beta * (upper[upperOrder[rank]] - lower[lowerOrder[rank]]));
            sum += value;
            chosen[upperOrder[rank]] = beta * slope / pairs.Count;
            rejected[paired ? upperOrder[rank] : lowerOrder[rank]] = -beta * slope / pairs.Count;
        }

        for (int i = 0; i < pairs.Count; i++) slopes[i] = new PairSlopes(chosen[i], rejected[i]);
        return sum / pairs.Count;
    }

    // Stable, so that equal values keep one order on every machine.
    private static int[] Order(double[] values) => [.. Enumerable.Range(0, values.Length).OrderBy(index => values[index])];
}

/// <summary>
/// −log σ(margin − lead): DPO (Rafailov et al. 2023, arXiv 2305.18290); with a lead and without a reference SimPO (Meng et al. 2024, arXiv
/// 2405.14734).
/// </summary>
/// <param name="lead">What the margin should exceed.</param>
internal sealed class SigmoidPenalty(double lead = 0) : IMarginPenalty
{
    public (double Value, double Slope) Of(double margin) => (-Logistic.Log(margin - lead), -Logistic.Of(lead - margin));
}

/// <summary>max(0, 1 − margin): SLiC (Zhao et al. 2023, arXiv 2305.10425). A pair that leads by 1 teaches nothing more.</summary>
internal sealed class HingePenalty : IMarginPenalty
{
    public (double Value, double Slope) Of(double margin) => margin < 1 ? (1 - margin, -1) : (0, 0);
}

/// <summary>
/// (d − 1/2β)² with d = margin/β: IPO (Azar et al. 2023, arXiv 2310.12036), which does not drive certain pairs to infinity.
/// </summary>
internal sealed class SquaredPenalty(double beta) : IMarginPenalty
{
    public (double Value, double Slope) Of(double margin)
    {
        double excess = (margin - 0.5) / beta;
        return (excess * excess, 2 * excess / beta);
    }
}

/// <summary>
/// Cross-entropy with a label that is wrong with probability ε: conservative DPO (Mitchell 2023, "A note on DPO with noisy preferences").
/// </summary>
/// <param name="noise">ε, below 0.5.</param>
internal sealed class SmoothedPenalty(double noise) : IMarginPenalty
{
    public (double Value, double Slope) Of(double margin) =>
        (-((1 - noise) * Logistic.Log(margin)) - (noise * Logistic.Log(-margin)),
        (noise * Logistic.Of(margin)) - ((1 - noise) * Logistic.Of(-margin)));
}

/// <summary>
/// ((1−ε)·ℓ(m) − ε·ℓ(−m)) / (1−2ε), ℓ = −log σ: its mean over labels flipped with probability ε is DPO's loss on the true ones
/// (Chowdhury et al. 2024, arXiv 2403.00409).
/// </summary>
/// <param name="noise">ε, below 0.5.</param>
internal sealed class RobustPenalty(double noise) : IMarginPenalty
{
    public (double Value, double Slope) Of(double margin)
    {
        double value = (noise * Logistic.Log(-margin)) - ((1 - noise) * Logistic.Log(margin));
        double slope = -((1 - noise) * Logistic.Of(-margin)) - (noise * Logistic.Of(margin));
        return (value / (1 - (2 * noise)), slope / (1 - (2 * noise)));
    }
}

/// <summary>
/// KL(σ(margin) ‖ 1−ε) over the two completions: EXO for pairs (Ji et al. 2024, arXiv 2402.00856, equation 16), which seeks the mode where
/// DPO covers it.
/// </summary>
/// <param name="noise">ε: probability left to the rejected completion; above 0.</param>
internal sealed class ReverseDivergencePenalty(double noise) : IMarginPenalty
{
    public (double Value, double Slope) Of(double margin)
    {
        double chosen = Logistic.Log(margin) - Math.Log(1 - noise), rejected = Logistic.Log(-margin) - Math.Log(noise);
        // The derivatives of the logarithms cancel: σ(m)σ(−m) − σ(−m)σ(m).
        return ((Logistic.Of(margin) * chosen) + (Logistic.Of(-margin) * rejected), Logistic.Slope(margin) * (chosen - rejected));
    }
}
