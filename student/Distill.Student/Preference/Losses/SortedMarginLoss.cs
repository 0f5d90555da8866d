namespace Distill.Student.Preference.Losses;

/// <summary>
/// Alignment by optimal transport (Melnyk et al. 2024, arXiv 2406.05882): the penalty compares not pairs but the step's sorted values,
/// quantile by quantile, so that the one distribution comes to dominate the other.
/// </summary>
/// <param name="paired">Sorts the model's and the reference's margins; else the log-ratios of chosen and of rejected completions.</param>
public sealed class SortedMarginLoss(IMarginPenalty penalty, double beta, bool paired) : IPreferenceLoss
{
    public double Evaluate(PreferenceBatch batch, Span<PairSlopes> slopes)
    {
        var pairs = batch.Pairs;
        double[] upper = [.. pairs.Select(pair => paired ? pair.Chosen.LogProbability - pair.Rejected.LogProbability : pair.Chosen.LogRatio)];
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
