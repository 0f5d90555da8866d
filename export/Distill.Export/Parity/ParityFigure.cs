using System.Globalization;

namespace Distill.Export.Parity;

/// <summary>The gate's numbers as people write them: decimals, no exponents.</summary>
internal static class ParityFigure
{
    private const int MostDecimals = 12;

    /// <summary><c>0.000054</c>, <c>0.21</c>, <c>44.3</c>, <c>1,204</c>: at least two digits that count.</summary>
    public static string Of(double value)
    {
        if (!double.IsFinite(value) || Math.Abs(value) >= 1e15) return "no number";
        double size = Math.Abs(value);
        if (size >= 1000) return value.ToString("N0", CultureInfo.InvariantCulture);
        int decimals = size >= 10 ? 1 : size >= 1 ? 2 : size == 0 ? 0 : (int)Math.Min(MostDecimals, 1 - Math.Floor(Math.Log10(size)));
        string text = value.ToString("F" + decimals, CultureInfo.InvariantCulture);
        return text.Contains('.') ? text.TrimEnd('0').TrimEnd('.') : text;
    }

    /// <summary><c>6,400</c>.</summary>
    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A share of one as a percentage: <c>98.4 %</c>.</summary>
    public static string Percent(double share) => $"{(100 * share).ToString("0.##", CultureInfo.InvariantCulture)} %";

    /// <summary>A difference of shares in points, with its sign: <c>−2.0</c>.</summary>
    public static string Points(double difference) =>
        (100 * difference).ToString("+0.0;−0.0;0.0", CultureInfo.InvariantCulture);
}
