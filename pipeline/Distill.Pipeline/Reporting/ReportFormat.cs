using System.Globalization;
using Distill.Evaluation.Statistics;

namespace Distill.Pipeline.Reporting;

/// <summary>Numbers as reports show them: never the culture of the machine, never more digits than the samples carry.</summary>
internal static class ReportFormat
{
    public const string Absent = "–";

    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    public static string Percent(double? share) => share is { } value ? (100 * value).ToString("0.0", Culture) : Absent;

    public static string Percent(double? share, Interval? interval) => share is null
        ? Absent
        : interval is { } range ? $"{Percent(share)} [{Percent(range.Low)}, {Percent(range.High)}]" : Percent(share);

    public static string Points(double difference) => (100 * difference).ToString("+0.0;−0.0;0.0", Culture);

    public static string P(double p) => p < 0.001 ? "< 0.001" : p.ToString("0.000", Culture);

    public static string Count(long count) => count.ToString("N0", Culture);

    public static string Number(double value, string format) => value.ToString(format, Culture);

    public static string Seconds(double? seconds) => seconds is { } value ? value.ToString(value < 10 ? "0.0" : "0", Culture) : Absent;
}
