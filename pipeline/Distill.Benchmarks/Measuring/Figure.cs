namespace Distill.Benchmarks.Measuring;

internal enum Outcome
{
    Passed,

    /// <summary>Also when the benchmark failed.</summary>
    Missed,

    /// <summary>Measured for the record; the design demands nothing of it.</summary>
    Unjudged,

    /// <summary>Not measured; the note says why.</summary>
    NotApplicable,
}

/// <summary>One row of the results. The median is what is judged.</summary>
/// <param name="Target">What the design demands, e.g. <c>≥ 1.5</c>; empty when nothing.</param>
/// <param name="Measured">Null when it was not measured.</param>
internal sealed record Figure(string What, string Target, Series? Measured, string Unit, Outcome Outcome, string Note)
{
    public static Figure AtLeast(string what, double limit, Series measured, string unit, string note = "") =>
        new(what, $"≥ {Number(limit)}", measured, unit, measured.Median >= limit ? Outcome.Passed : Outcome.Missed, note);

    public static Figure AtMost(string what, double limit, Series measured, string unit, string note = "") =>
        new(what, $"≤ {Number(limit)}", measured, unit, measured.Median <= limit ? Outcome.Passed : Outcome.Missed, note);

    public static Figure Exactly(string what, double value, Series measured, string unit, string note = "") =>
        new(what, $"= {Number(value)}", measured, unit, measured.Min == value && measured.Max == value ? Outcome.Passed
            : Outcome.Missed, note);

    public static Figure Plain(string what, Series measured, string unit, string note = "") =>
        new(what, "", measured, unit, Outcome.Unjudged, note);

    public static Figure NotApplicable(string what, string target, string reason) =>
        new(what, target, null, "", Outcome.NotApplicable, reason);

    public static Figure Failed(Exception fault) => new("everything", "", null, "", Outcome.Missed, $"failed: {fault.Message}");

    public string MeasuredText => Measured switch
    {
        null => "",
        { IsSpread: false } => Number(Measured.Median),
        _ => $"{Number(Measured.Median)} ({Number(Measured.Min)}..{Number(Measured.Max)})",
    };

    private static string Number(double value) => Math.Abs(value) switch
    {
        >= 1000 => value.ToString("N0"),
        >= 100 => value.ToString("F0"),
        >= 10 => value.ToString("F1"),
        0 => "0",
        >= 0.01 => value.ToString("0.###"),
        _ => value.ToString("0.##e0"),
    };
}

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
