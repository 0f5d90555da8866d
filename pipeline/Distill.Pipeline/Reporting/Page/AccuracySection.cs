using Distill.Pipeline.Reporting.Plots;

namespace Distill.Pipeline.Reporting.Page;

/// <summary>What each way of asking is worth and takes: accuracy against tokens.</summary>
internal static class AccuracySection
{
    public static Html Of(RunReport report, ReportModels models)
    {
        var points = report.Accuracies;
        if (points.Count < 2) return Html.Empty;
        string[] kinds = [.. points.Select(KindOf).Distinct()];
        string[] names = [.. models.Rows.Select(row => row.Model).Where(model => points.Any(point => point.Model == model))];
        return Parts.Section(
            "Accuracy against tokens",
            "Tokens that a model generates for each problem, those of discarded samples included, and the problems it solves with them. "
            + "Further up is better, further left is cheaper; the bars are 95 % intervals.",
            Html.Of($"""
                <figure class="wide"><figcaption>Problems solved by tokens per problem</figcaption>
                {Parts.Legend(names.Select(name => (models.ColorOf(name), "s0", name)))}
                <div class="legend">{kinds.Select((kind, i) => Html.Of($"<span>{PointPlot.Mark(i)}{kind}</span>"))}</div>
                {PointPlot.Of("Share of problems solved against tokens generated for each problem",
                    [.. points.Select(point => Plotted(point, kinds, models))])}</figure>
                <details><summary>The same in numbers</summary>
                {Parts.Table(["model", "way", "tokens", "solved", "problems"], points.OrderBy(point => Array.IndexOf(names, point.Model))
                    .Select(point => Row(point, models)), "way")}</details>
                """));
    }

    // A strategy and its budget: the budgets of one are points of one line.
    private static string KindOf(AccuracyPoint point) => point.Way.Split(',')[0];

    private static PlotPoint Plotted(AccuracyPoint point, string[] kinds, ReportModels models) => new(
        models.ColorOf(point.Model), Array.IndexOf(kinds, KindOf(point)), point.Tokens, point.Accuracy, point.Interval95,
        $"{point.Model}, {point.Way}: {ReportNumbers.Percent(point.Accuracy, point.Problems)}, 95 % "
        + $"{ReportNumbers.Range(point.Interval95, point.Problems)}, {ReportNumbers.Count(point.Problems)} problems, "
        + $"{ReportNumbers.Tokens(point.Tokens)} tokens each")
    {
        Line = point.Model + (KindOf(point) == point.Way ? "" : KindOf(point)),
    };

    private static Html Row(AccuracyPoint point, ReportModels models) => Parts.Row(
        Parts.Model(point.Model, models),
        Html.Of($"<td class=\"words\">{point.Way}</td>"),
        Parts.Cell(ReportNumbers.Tokens(point.Tokens)),
        Parts.Share(point.Accuracy, point.Interval95, point.Problems),
        Parts.Cell(ReportNumbers.Count(point.Problems)));
}
