using Distill.Evaluation;
using Distill.Export.Parity;
using Distill.Export.Quantization;

namespace Distill.Pipeline.Reporting.Page;

/// <summary>Whether the exported file is the trained model.</summary>
internal static class ExportSection
{
    public static Html Of(RunReport report, ReportModels models)
    {
        Html[] checks = [.. Parity(report.Parity), .. Answers(report.OnnxGreedyAnswersEqual, IsRounded(report))];
        return Html.If(checks.Length > 0, () => Parts.Section(
            "Exported file against trained model",
            "The numbers of the file's weights, their size on disk, and what they cost in accuracy on the same problems; below, what the "
            + "parity gate compared.",
            Html.Of($"""
                {Forms(report, models)}
                {Costs(report.Quantization)}
                {Parts.Table(["check", "measured", "allowed", "verdict"], checks)}
                """)));
    }

    // The last student as it was trained, and as it was written.
    private static Html Forms(RunReport report, ReportModels models)
    {
        var trained = models.Rows.LastOrDefault(row => models.RoleOf(row.Model) is ModelRole.Student or ModelRole.Base);
        var exported = models.Rows.LastOrDefault(row => models.RoleOf(row.Model) == ModelRole.Exported);
        return Html.If(trained is not null && exported is not null, () => Parts.Table(
            ["weights", "precision", "size", "greedy", "sampled pass@1", "problems", "tokens/s"],
            [Form(trained!, "fp32", report, models), Form(exported!, report.ExportPrecision ?? "", report, models)], "precision"));
    }

    // What fewer bits cost, beside rounding to nearest.
    private static Html Costs(QuantizationRecord? quantization) => Html.If(quantization is { Forms.Count: > 0 }, () => Parts.Table(
        ["weights", "size", "perplexity ×", "95 %", "same token"], [.. quantization!.Forms.Select(Cost)], "form"));

    private static Html Cost(FormFigures form) => Parts.Row(
        Html.Of($"<td class=\"words\">{form.Form}</td>"),
        Parts.Cell(ReportNumbers.Bytes(form.Bytes)),
        Parts.Cell(form.Quality is { } quality ? $"{quality.PerplexityRatio:F3}" : "1"),
        form.Quality is { PerplexityRatioInterval95: var range } ? Parts.Cell($"{range.Low:F3}–{range.High:F3}") : Parts.Absent,
        form.Quality is { } same ? Parts.Cell($"{100 * same.TopAgreement:F1} %") : Parts.Absent);

    private static Html Form(EvaluationReport row, string precision, RunReport report, ReportModels models) => Parts.Row(
        Parts.Model(row.Model, models),
        Html.Of($"<td class=\"words\">{precision}</td>"),
        models.SizeOf(row.Model) is { } size ? Parts.Cell(ReportNumbers.Bytes(size.Bytes)) : Parts.Absent,
        Parts.Share(row.Greedy, row.GreedyInterval95, row.Problems),
        Parts.Share(row.PassAt1, row.Interval95, row.Problems),
        Parts.Cell(ReportNumbers.Count(row.Problems)),
        report.Throughput.TryGetValue($"evaluation/{row.Model}/tokensPerSecond", out double rate)
            ? Parts.Cell(ReportNumbers.Short(rate)) : Parts.Absent);

    private static IEnumerable<Html> Parity(ParityReport? parity)
    {
        if (parity is null) yield break;
        foreach (var row in ParityRows.Of(parity))
        {
            yield return row.Passed is { } passed ? Check(row.Name, row.Measured, row.Allowed, passed)
                : Row(row.Name, row.Measured, row.Allowed, "open", "no limit");
        }

        yield return Check("parity gate", "", "", parity.Passed);
    }

    // Fewer bits turn some answers, which the gate allows: what that costs is said by the accuracies.
    private static IEnumerable<Html> Answers(AnswerEquality? answers, bool isRounded)
    {
        if (answers is null) yield break;
        string differing = ReportNumbers.Count(answers.Problems - answers.IdenticalAnswers);
        string compared = $"{differing} of {ReportNumbers.Count(answers.Problems)} problems";
        yield return isRounded && !answers.Equal
            ? Row("greedy answers that differ", compared, "", "open", "as rounded")
            : Check("greedy answers that differ", compared, "", answers.Equal);
    }

    private static bool IsRounded(RunReport report) => report is { ExportPrecision: { } precision, Parity.Passed: true }
        && precision != "fp32";

    private static Html Check(string name, string measured, string allowed, bool passed) =>
        Row(name, measured, allowed, passed ? "good" : "bad", passed ? "pass" : "fail");

    private static Html Row(string name, string measured, string allowed, string kind, string verdict) => Parts.Row(
        Html.Of($"{name}"), Html.Of($"<td class=\"wrapped\">{measured}</td>"), Parts.Cell(allowed),
        Html.Of($"<td><span class=\"pill {kind}\">{verdict}</span></td>"));
}
