using Distill.Evaluation;
using Distill.Evaluation.Statistics;

namespace Distill.Pipeline.Reporting;

/// <summary>Which plots a report has.</summary>
internal static class ReportPlots
{
    public static string Accuracy(IReadOnlyList<EvaluationReport> rows) => SvgPlot.Bars(
        "Solved, by model", ["greedy", "sampled"], [.. rows.Select(row => (row.Model, Bars(Bar(row.Greedy, row.GreedyInterval95), Bar(row.PassAt1, row.Interval95))))]);

    public static string Twins(IReadOnlyList<EvaluationReport> rows) => SvgPlot.Bars(
        "Original problems and their twins", ["original", "twins"],
        [.. rows.Where(row => row.Twins is not null).Select(row => (row.Model, Bars(Bar(row.Twins!.Original, row.Twins.OriginalInterval95), Bar(row.Twins.Perturbed, row.Twins.PerturbedInterval95))))]);

    /// <summary>Loss of each supervised training; reward, held-out score and entropy of the reinforcement.</summary>
    public static IEnumerable<string> Curves(IReadOnlyList<MetricSeries> series)
    {
        foreach (var loss in series.Where(item => item.Name == "loss"))
            yield return SvgPlot.Lines($"{loss.Stage}: loss", [("", "raw", loss.Points), ("", "s0", SvgPlot.Smoothed(loss.Points))]);
        if (Find(series, "reward") is not { } reward) yield break;
        List<(string, string, IReadOnlyList<(double, double)>)> scores = [("", "raw", reward.Points), ("mean reward", "s0", SvgPlot.Smoothed(reward.Points))];
        if (Find(series, "held_out") is { } heldOut) scores.Add(("validation, sampled", "s1", heldOut.Points));
        yield return SvgPlot.Lines($"{reward.Stage}: reward", scores, (0, 1));
        if (Find(series, "entropy", reward.Stage) is { } entropy) yield return SvgPlot.Lines($"{reward.Stage}: entropy, nats", [("", "raw", entropy.Points), ("", "s0", SvgPlot.Smoothed(entropy.Points))]);
        if (Find(series, "mean_tokens", reward.Stage) is { } tokens) yield return SvgPlot.Lines($"{reward.Stage}: completion length, tokens", [("", "s0", tokens.Points)]);
    }

    private static MetricSeries? Find(IReadOnlyList<MetricSeries> series, string name, string? stage = null) =>
        series.FirstOrDefault(item => item.Name == name && (stage is null || item.Stage == stage));

    private static IReadOnlyList<(double, double, double)?> Bars(params (double, double, double)?[] bars) => bars;

    private static (double, double, double)? Bar(double? value, Interval? interval) => value is { } share && interval is { } range ? (share, range.Low, range.High) : null;
}
