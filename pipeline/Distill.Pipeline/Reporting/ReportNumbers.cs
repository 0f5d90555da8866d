using System.Globalization;
using Distill.Evaluation.Statistics;

namespace Distill.Pipeline.Reporting;

/// <summary>Numbers as a reader sees them: the same everywhere, and no digit that the sample does not carry.</summary>
internal static class ReportNumbers
{
    public const string NotMeasured = "—";

    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    /// <summary>In per cent, without the sign. A share that is not quite none or all never reads as if it were.</summary>
    public static string Number(double share, int sample)
    {
        if (!double.IsFinite(share)) return NotMeasured;
        string text = Rounded(share * 100, sample);
        bool whole = Digits(sample) == 0;
        if (share > 0 && text == (whole ? "0" : "0.0")) return whole ? "<1" : "<0.1";
        if (share < 1 && text == (whole ? "100" : "100.0")) return whole ? ">99" : ">99.9";
        return text;
    }

    public static string Percent(double share, int sample) => double.IsFinite(share) ? $"{Number(share, sample)} %" : NotMeasured;

    public static string Range(Interval interval, int sample) =>
        $"{Rounded(interval.Low * 100, sample)}–{Rounded(interval.High * 100, sample)}";

    /// <summary>A difference of shares in points, always with its sign.</summary>
    public static string Points(double difference, int sample)
    {
        string text = Rounded(Math.Abs(difference) * 100, sample);
        return text is "0" or "0.0" ? text : difference < 0 ? $"−{text}" : $"+{text}";
    }

    public static string PointsRange(Interval interval, int sample) => $"{Points(interval.Low, sample)} to {Points(interval.High, sample)}";

    public static string P(double p) => p < 0.001 ? "< 0.001" : p.ToString(p < 0.1 ? "F3" : "F2", Culture);

    /// <summary>The same within a sentence.</summary>
    public static string PInWords(double p) => p < 0.001 ? "p < 0.001" : $"p = {P(p)}";

    public static string Count(long count) => count.ToString("N0", Culture);

    /// <summary>E.g. <c>1.8 M</c>.</summary>
    public static string Parameters(long count) => count switch
    {
        >= 1_000_000_000 => $"{Short(count / 1e9)} B",
        >= 1_000_000 => $"{Short(count / 1e6)} M",
        >= 1_000 => $"{Short(count / 1e3)} k",
        _ => Count(count),
    };

    public static string Bytes(long count) => count switch
    {
        >= 1_000_000_000 => $"{Short(count / 1e9)} GB",
        >= 1_000_000 => $"{Short(count / 1e6)} MB",
        >= 1_000 => $"{Short(count / 1e3)} kB",
        _ => $"{Count(count)} B",
    };

    public static string Seconds(double seconds) => seconds switch
    {
        < 10 => $"{seconds.ToString("F1", Culture)} s",
        < 60 => $"{seconds.ToString("F0", Culture)} s",
        < 3600 => $"{Math.Floor(seconds / 60).ToString("F0", Culture)} min {Math.Floor(seconds % 60).ToString("00", Culture)} s",
        _ => $"{Math.Floor(seconds / 3600).ToString("F0", Culture)} h {Math.Floor(seconds % 3600 / 60).ToString("00", Culture)} min",
    };

    /// <summary>Time of a stage.</summary>
    public static string Time(StageReport stage, double seconds) => AtLeast(stage.IsTimeAtLeast, Seconds(seconds));

    /// <summary>Time of all stages together.</summary>
    public static string Time(IEnumerable<StageReport> stages) =>
        AtLeast(stages.Any(stage => stage.IsTimeAtLeast), Seconds(stages.Sum(stage => stage.Seconds ?? 0)));

    /// <summary>Marks a number that is a lower bound.</summary>
    public static string AtLeast(bool isBound, string number) => isBound ? $"≥ {number}" : number;

    /// <summary>Three significant digits, for measures without a sample.</summary>
    public static string Short(double value) => Math.Abs(value) switch
    {
        double.NaN => NotMeasured,
        >= 1000 => value.ToString("N0", Culture),
        >= 100 => value.ToString("F0", Culture),
        >= 10 => value.ToString("F1", Culture),
        >= 0.01 => value.ToString("0.##", Culture),
        0 => "0",
        _ => value.ToString("0.#e-0", Culture),
    };

    public static string Tokens(double mean) => mean.ToString("F1", Culture);

    /// <summary>The first characters of a digest, enough to tell artefacts apart by eye.</summary>
    public static string ShortDigest(string digest)
    {
        string bare = digest[(digest.IndexOf(':', StringComparison.Ordinal) + 1)..];
        return bare.Length <= 8 ? bare : bare[..8];
    }

    /// <summary>snake_case, camelCase and path/case as words.</summary>
    public static string Words(string name) => string.Concat(name.Select((c, i) => c switch
    {
        '_' => " ",
        '/' => " · ",
        _ when i > 0 && char.IsUpper(c) && char.IsLower(name[i - 1]) => $" {char.ToLowerInvariant(c)}",
        _ => c.ToString(),
    }));

    // One of fewer than 100 problems is more than a point: a decimal would be made up.
    private static int Digits(int sample) => sample >= 100 ? 1 : 0;

    private static string Rounded(double value, int sample) =>
        (Math.Round(value, Digits(sample), MidpointRounding.AwayFromZero) + 0.0).ToString(Digits(sample) == 1 ? "F1" : "F0", Culture);
}
