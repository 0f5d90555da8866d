using Distill.Evaluation.Statistics;

namespace Distill.Pipeline.Reporting.Page;

/// <summary>Models against each other on the same problems: much sharper than comparing their intervals by eye.</summary>
internal static class ComparisonSection
{
    public static Html Of(RunReport report) => Html.If(report.Comparisons.Count > 0, () => Parts.Section(
        "Paired comparisons",
        "Difference in points of problems solved, over the same problems; paired bootstrap. "
        + "Where the 95 % interval includes 0, the models cannot be told apart.",
        Parts.Table(["difference", "problems", "greedy", "95 %", "p", "sampled", "95 %", "p"], report.Comparisons.Select(Row))));

    private static Html Row(ModelComparison comparison) => Parts.Row(
        Html.Of($"{Parts.Model(comparison.Model)} − {Parts.Model(comparison.Against)}"),
        [Parts.Cell(ReportNumbers.Count(comparison.Problems)), .. Cells(comparison.Greedy, comparison.Problems), .. Cells(comparison.Sampled, comparison.Problems)]);

    private static Html[] Cells(PairedBootstrap? difference, int problems) => difference is null
        ? [Parts.Absent, Parts.Absent, Parts.Absent]
        :
        [
            Html.Of($"<td class=\"{Class(difference.Interval)}\"><b>{ReportNumbers.Points(difference.Mean, problems)}</b></td>"),
            Parts.Cell(ReportNumbers.PointsRange(difference.Interval, problems)),
            Parts.Cell(ReportNumbers.P(difference.P)),
        ];

    private static string Class(Interval interval) => interval switch
    {
        { Low: > 0 } => "good",
        { High: < 0 } => "bad",
        _ => "open",
    };
}
