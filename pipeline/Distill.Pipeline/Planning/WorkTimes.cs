namespace Distill.Pipeline.Planning;

/// <summary>
/// Seconds of an amount of work from measured ones. Medians throughout: a run beside others, or one that was held for a while, moves them
/// little.
/// </summary>
internal static class WorkTimes
{
    // Amounts that lie closer together say nothing of the share that every run takes whatever its amount.
    private const double LeastSpread = 3;

    /// <param name="measured">At least one, each with a speed.</param>
    /// <param name="units">Amount to be predicted.</param>
    public static double Predict(IReadOnlyList<WorkRecord> measured, double units)
    {
        double proportional = units * Median(measured.Select(record => record.Seconds / record.Units));
        if (measured.Max(record => record.Units) < LeastSpread * measured.Min(record => record.Units)) return proportional;
        // Theil and Sen: the median of the slopes between all pairs, and of what it leaves over.
        var slopes = measured
            .SelectMany((one, i) => measured.Skip(i + 1).Where(other => Math.Abs(other.Units - one.Units) > 0.1 * one.Units)
                .Select(other => (other.Seconds - one.Seconds) / (other.Units - one.Units)));
        double slope = Median(slopes);
        if (slope <= 0) return proportional;
        double fixedPart = Math.Max(0, Median(measured.Select(record => record.Seconds - (slope * record.Units))));
        return fixedPart + (slope * units);
    }

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
