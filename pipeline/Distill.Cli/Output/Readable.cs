using Distill.Evaluation.Statistics;
using Distill.Export.Parity;

namespace Distill.Cli.Output;

/// <summary>Numbers as people read them.</summary>
internal static class Readable
{
    public const string None = "–";

    /// <summary><c>0.8 s</c>, <c>42 s</c>, <c>3:05</c>, <c>1:02:03</c>, <c>3 d 4 h</c>.</summary>
    public static string Duration(TimeSpan time)
    {
        if (time < TimeSpan.FromSeconds(9.95)) return $"{time.TotalSeconds:F1} s";
        long seconds = (long)Math.Round(time.TotalSeconds);
        if (seconds < 60) return $"{seconds} s";
        if (seconds >= 48 * 3600) return $"{seconds / 86_400} d {seconds / 3600 % 24} h";
        return seconds < 3600 ? $"{seconds / 60}:{seconds % 60:D2}" : $"{seconds / 3600}:{seconds / 60 % 60:D2}:{seconds % 60:D2}";
    }

    /// <summary><c>35 MiB</c>, <c>1.5 GiB</c>; nothing for null.</summary>
    public static string Memory(long? bytes) => bytes switch
    {
        null => "",
        < 1L << 30 => $"{Math.Ceiling(bytes.Value / (double)(1 << 20)):N0} MiB",
        _ => $"{bytes.Value / (double)(1L << 30):F1} GiB",
    };

    /// <summary><c>812 B</c>, <c>14 KiB</c>, <c>35 MiB</c>, <c>1.5 GiB</c>.</summary>
    public static string Size(long bytes) => bytes switch
    {
        < 1 << 10 => $"{bytes} B",
        < 1 << 20 => $"{Math.Ceiling(bytes / 1024.0):N0} KiB",
        _ => Memory(bytes),
    };

    /// <summary><c>812</c>, <c>14,200</c>, <c>1.54 M</c>, <c>2.10 B</c>.</summary>
    public static string Count(long count) => count switch
    {
        < 1_000_000 => $"{count:N0}",
        < 1_000_000_000 => $"{count / 1e6:F2} M",
        _ => $"{count / 1e9:F2} B",
    };

    /// <summary><c>12 min</c>, <c>5 h</c>, <c>3 d</c>.</summary>
    public static string Age(TimeSpan age) => age switch
    {
        { TotalHours: < 1 } => $"{Math.Max(0, Math.Floor(age.TotalMinutes)):N0} min",
        { TotalDays: < 1 } => $"{Math.Floor(age.TotalHours):N0} h",
        _ => $"{Math.Floor(age.TotalDays):N0} d",
    };

    /// <summary><c>97.5 %</c>.</summary>
    public static string Share(double? share) => share is { } value ? $"{100 * value:F1} %" : None;

    /// <summary><c>94.1–99.0 %</c>.</summary>
    public static string Range(Interval? interval) => interval is { } range ? $"{100 * range.Low:F1}–{100 * range.High:F1} %" : None;

    /// <summary>The parity gate's figures in one line.</summary>
    public static string Parity(ParityReport report) =>
        $"largest logit difference {ParityFigure.Of(report.MaxAbsLogitDiff)} of {ParityFigure.Of(report.MaxAbsLogit)} "
        + $"(allowed {ParityFigure.Of(report.Tolerance.RelativeLogits * report.MaxAbsLogit)}) over "
        + $"{report.PositionsCompared:N0} positions; "
        + $"{report.GreedyMismatches:N0} of {report.GreedyTokensCompared:N0} greedy tokens differ "
        + $"(allowed {ParityFigure.Percent(report.Tolerance.MismatchShare)})"
        + (report.Quality is { } quality ? $"; perplexity {ParityFigure.Of(quality.PerplexityRatio)} times the trained model's" : "");
}
