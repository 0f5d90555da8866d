namespace Distill.Benchmarks.Measuring;

/// <summary>The values of one measurement, one a round. Immutable.</summary>
internal sealed class Series
{
    private readonly double[] values;

    public Series(IEnumerable<double> values)
    {
        this.values = [.. values];
        if (this.values.Length == 0) throw new ArgumentException("A measurement needs at least one value.", nameof(values));
    }

    public double Min => values.Min();

    public double Max => values.Max();

    public double Median
    {
        get
        {
            double[] ordered = [.. values.Order()];
            int middle = ordered.Length / 2;
            return ordered.Length % 2 == 1 ? ordered[middle] : (ordered[middle - 1] + ordered[middle]) / 2;
        }
    }

    public bool IsSpread => Max > Min;

    public static Series Of(double value) => new([value]);

    public static Series Of<T>(IEnumerable<T> rounds, Func<T, double> value) => new(rounds.Select(value));

    /// <summary>Round by round: what disturbed both measurements of a round cancels.</summary>
    public Series Over(Series other) => new(values.Zip(other.values, (mine, theirs) => mine / theirs));

    public Series Select(Func<double, double> change) => new(values.Select(change));
}
