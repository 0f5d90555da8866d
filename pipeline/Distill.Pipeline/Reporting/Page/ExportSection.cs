using Distill.Export.Parity;

namespace Distill.Pipeline.Reporting.Page;

/// <summary>Whether the exported file is the trained model.</summary>
internal static class ExportSection
{
    public static Html Of(RunReport report)
    {
        Html[] checks = [.. Parity(report.Parity), .. Answers(report.OnnxGreedyAnswersEqual)];
        return Html.If(checks.Length > 0, () => Parts.Section(
            "Exported file against trained model", "",
            Parts.Table(["check", "measured", "allowed", "compared", "verdict"], checks)));
    }

    private static IEnumerable<Html> Parity(ParityReport? parity)
    {
        if (parity is null) yield break;
        double allowed = parity.Tolerance.RelativeLogits * parity.MaxAbsLogit, share = parity.Tolerance.MismatchShare;
        yield return Check(
            "largest logit difference",
            $"{ReportNumbers.Scientific(parity.MaxAbsLogitDiff)} (largest logit {ReportNumbers.Short(parity.MaxAbsLogit)})",
            ReportNumbers.Scientific(allowed), $"{ReportNumbers.Count(parity.PositionsCompared)} positions",
                parity.MaxAbsLogitDiff <= allowed);
        string ties = parity.GreedyTies > 0 ? $" (and {ReportNumbers.Count(parity.GreedyTies)} ties)" : "";
        yield return Check(
            "greedy tokens that differ", ReportNumbers.Count(parity.GreedyMismatches) + ties,
            share == 0 ? "0" : $"{ReportNumbers.Short(share * 100)} %", $"{ReportNumbers.Count(parity.GreedyTokensCompared)} tokens",
            parity.GreedyMismatches <= share * parity.GreedyTokensCompared);
        yield return Check("parity gate", "", "", "", parity.Passed);
    }

    private static IEnumerable<Html> Answers(AnswerEquality? answers)
    {
        if (answers is null) yield break;
        yield return Check(
            "greedy answers that differ", ReportNumbers.Count(answers.Problems - answers.IdenticalAnswers), "",
            $"{ReportNumbers.Count(answers.Problems)} problems", answers.Equal);
    }

    private static Html Check(string name, string measured, string allowed, string compared, bool passed) => Parts.Row(
        Html.Of($"{name}"), Parts.Cell(measured), Parts.Cell(allowed), Parts.Cell(compared),
        Html.Of($"<td><span class=\"pill {(passed ? "good" : "bad")}\">{(passed ? "pass" : "fail")}</span></td>"));
}
