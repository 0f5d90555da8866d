using Distill.Pipeline.Promotions;

namespace Distill.Pipeline.Reporting.Page;

/// <summary>Whether the model took the place of the one that applications load, and why.</summary>
internal static class PromotionVerdict
{
    public static Html Of(RunReport report) => report.Promotion is not { } promotion ? Html.Empty : Parts.Section(
        "Promotion",
        $"Asked for: {promotion.Rule}. Tango's score test of paired answers, one-sided 95 %: a model that loses the margin is promoted at "
        + "most once in twenty times. Difference: points of problems solved, this model's less those of the one in place, on the same "
        + "problems; at least: what the answers do not rule out, one-sided at 95 %.",
        Html.Of($"""
            <p class="remark"><b>{Capital(promotion.Sentence)}.</b></p>
            {promotion.Notes.Select(note => Html.Of($"<p class=\"remark\">{note}</p>"))}
            {Parts.Table(
                ["check", "problems", "won", "lost", "difference", "at least", "verdict", "found"], promotion.Checks.Select(Row), "found")}
            """));

    private static Html Row(PromotionCheck check) => Parts.Row(
        Html.Of($"{check.Name}"),
        Count(check.Paired?.Problems), Count(check.Paired?.OnlyAfter), Count(check.Paired?.OnlyBefore),
        check.Paired is { } paired ? Parts.Cell(ReportNumbers.Points(paired.Difference, paired.Problems)) : Parts.Cell(""),
        check.Paired is { } bounded ? Parts.Cell(ReportNumbers.Points(bounded.LowerBound(), bounded.Problems)) : Parts.Cell(""),
        Html.Of($"<td><span class=\"pill {(check.Passed ? "good" : "bad")}\">{(check.Passed ? "pass" : "fail")}</span></td>"),
        Html.Of($"<td class=\"words\">{check.Text}</td>"));

    private static Html Count(int? count) => count is { } known ? Parts.Cell(ReportNumbers.Count(known)) : Parts.Cell("");

    private static string Capital(string sentence) => char.ToUpperInvariant(sentence[0]) + sentence[1..];
}
