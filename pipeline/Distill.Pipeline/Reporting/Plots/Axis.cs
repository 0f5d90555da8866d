using System.Globalization;

namespace Distill.Pipeline.Reporting.Plots;

/// <summary>Values → places on a line of the plot, with ticks at round values.</summary>
internal sealed class Axis
{
    private readonly double low, high, start, end;
    private readonly bool logarithmic;

    private Axis(double low, double high, double start, double end, bool logarithmic) =>
        (this.low, this.high, this.start, this.end, this.logarithmic) = (low, high, start, end, logarithmic);

    public IReadOnlyList<double> Ticks { get; private init; } = [];

    /// <param name="start">Place of the lowest value.</param>
    /// <param name="end">Place of the highest.</param>
    /// <param name="round">Whether the axis reaches out to the ticks around the values.</param>
    public static Axis Linear(double low, double high, double start, double end, bool round)
    {
        if (!(high > low)) (low, high) = low == 0 ? (0, 1) : (low - (Math.Abs(low) / 2), low + (Math.Abs(low) / 2));
        double step = Step((high - low) / 5);
        if (round) (low, high) = (Math.Floor((low / step) + 1e-9) * step, Math.Ceiling((high / step) - 1e-9) * step);
        double first = Math.Ceiling((low / step) - 1e-9);
        int count = (int)Math.Floor((high / step) - first + 1e-9) + 1;
        return new Axis(low, high, start, end, false) { Ticks = [.. Enumerable.Range(0, count).Select(i => (first + i) * step)] };
    }

    /// <param name="low">Positive.</param>
    public static Axis Logarithmic(double low, double high, double start, double end)
    {
        int from = (int)Math.Floor(Math.Log10(low)), to = (int)Math.Ceiling(Math.Log10(high));
        double[] within = to - from > 3 ? [1] : [1, 2, 5];
        double[] ticks =
            [.. Enumerable.Range(from, to - from + 1).SelectMany(power => within.Select(digit => digit * Math.Pow(10, power)))];
        double first = ticks.Last(tick => tick <= low * (1 + 1e-9)), last = ticks.First(tick => tick >= high * (1 - 1e-9));
        return new Axis(first, last, start, end, true) { Ticks = [.. ticks.Where(tick => tick >= first && tick <= last)] };
    }

    public double Place(double value)
    {
        double share = logarithmic ? Math.Log(value / low) / Math.Log(high / low) : (value - low) / (high - low);
        return start + (Math.Clamp(share, 0, 1) * (end - start));
    }

    public static string Label(double tick) => Math.Abs(tick) switch
    {
        < 1e-12 => "0",
        >= 1e6 or < 1e-4 => tick.ToString("0.#e-0", CultureInfo.InvariantCulture),
        >= 1000 => tick.ToString("N0", CultureInfo.InvariantCulture),
        _ => tick.ToString("0.####", CultureInfo.InvariantCulture),
    };

    // 1, 2 or 5 times a power of ten, at least the given.
    private static double Step(double atLeast)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(atLeast)));
        return new[] { 1.0, 2, 5, 10 }.First(digit => digit * power >= atLeast * (1 - 1e-9)) * power;
    }
}
