namespace Distill.Student.Preference.Losses;

/// <summary>
/// Cross-entropy of the chosen completions, per token of the step, − β·log σ(log odds ratio) of the pairs, odds by the mean log-probability
/// of a token: ORPO (Hong et al. 2024, arXiv 2403.07691). Needs no reference.
/// </summary>
public sealed class OddsRatioLoss(double beta) : IPreferenceLoss
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
