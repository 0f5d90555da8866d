namespace Distill.Student.Preference.Losses;

/// <summary>What a pair's margin is the difference of.</summary>
public enum PairMargin
{
    /// <summary>Log-ratios of whole completions.</summary>
    Whole,

    /// <summary>Log-ratios per token.</summary>
    PerToken,

    /// <summary>Log-probabilities per token.</summary>
    PerTokenWithoutReference,
}

/// <summary>Mean of a penalty on β times each pair's margin.</summary>
public sealed class MarginLoss(IMarginPenalty penalty, double beta, PairMargin margin = PairMargin.Whole) : IPreferenceLoss
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
