using Distill.Evaluation;
using Distill.Export.Parity;

namespace Distill.Pipeline.Reporting;

/// <summary>report.html: one file that needs nothing else, made from a <see cref="RunReport"/> and the curves of the trainings.</summary>
public static class ReportHtml
{
    public static string Write(RunReport report, IReadOnlyList<MetricSeries> series)
    {
        var page = new HtmlWriter();
        page.Raw($"<!doctype html>\n<html lang='en'><meta charset='utf-8'><meta name='viewport' content='width=device-width'><title>").Text($"{report.Run}: Distill report")
            .Raw($"</title><style>{ReportStyle.Css}</style><body>\n");
        page.Raw("<h1>").Text(report.Run).Raw("</h1>\n").Paragraph(ReportVerdict.Of(report), "verdict");
        Results(page, report);
        if (series.Count > 0) Plots(page.Heading("Learning curves"), ReportPlots.Curves(series));
        Proof(page, report);
        if (report.Curation is { } curation) Curation(page, curation);
        Traces(page, report);
        Stages(page, report);
        return page.Raw("</body></html>\n").ToString();
    }

    private static void Results(HtmlWriter page, RunReport report)
    {
        if (report.Evaluations.Count == 0) return;
        var table = ReportTable.Of(report);
        var any = report.Evaluations[0];
        page.Heading("Results on held-out problems").Table(table.Header, table.Rows);
        page.Paragraph(
            $"{ReportFormat.Count(any.Problems)} test problems, one greedy answer and {any.Samples} samples each; brackets are 95 % intervals (Wilson; for samples over problems). "
            + "answer-only is the same student trained on the same problems without their steps. Twins are changed problems (other names and numbers, an idle clause, a contradiction), greedy.", "dim");
        Plots(page, [ReportPlots.Accuracy(report.Evaluations), ReportPlots.Twins(report.Evaluations)]);
        Domains(page, report.Evaluations);
        Twins(page, report.Evaluations);
        Comparisons(page, report.Comparisons);
    }

    private static void Plots(HtmlWriter page, IEnumerable<string> plots) => page.Raw("<div class='plots'>").Raw(string.Concat(plots)).Raw("</div>\n");

    private static void Domains(HtmlWriter page, IReadOnlyList<EvaluationReport> rows)
    {
        string[] domains = [.. rows.SelectMany(row => row.ByDomain).Select(domain => domain.Domain).Distinct()];
        string Cell(EvaluationReport row, string name) => row.ByDomain.FirstOrDefault(domain => domain.Domain == name) is { } domain
            ? $"{ReportFormat.Percent(domain.Greedy, domain.GreedyInterval95)} / {ReportFormat.Percent(domain.PassAt1)}"
            : ReportFormat.Absent;
        string Count(string name) => ReportFormat.Count(rows[0].ByDomain.FirstOrDefault(domain => domain.Domain == name)?.Problems ?? 0);
        page.Heading("By domain: greedy % [95 %] / sampled %")
            .Table(["model", .. domains.Select(name => $"{name} (n {Count(name)})")], rows.Select(row => (string[])[row.Model, .. domains.Select(name => Cell(row, name))]));
    }

    private static void Twins(HtmlWriter page, IReadOnlyList<EvaluationReport> rows)
    {
        var kinds = rows.Where(row => row.Twins is not null).SelectMany(row => row.Twins!.ByKind.Select(kind => (row.Model, Kind: kind))).ToList();
        if (kinds.Count == 0) return;
        page.Heading("Perturbation twins, pair by pair").Table(
            ["model", "kind", "pairs", "original %", "twin % [95 %]", "only original", "only twin", "p (McNemar)"],
            kinds.Select(pair => (string[])
            [
                pair.Model, pair.Kind.Kind, ReportFormat.Count(pair.Kind.Pairs), ReportFormat.Percent(pair.Kind.Original),
                ReportFormat.Percent(pair.Kind.Perturbed, pair.Kind.PerturbedInterval95), ReportFormat.Count(pair.Kind.OnlyOriginal), ReportFormat.Count(pair.Kind.OnlyPerturbed), ReportFormat.P(pair.Kind.McNemarP),
            ]));
    }

    private static void Comparisons(HtmlWriter page, IReadOnlyList<Comparison> comparisons)
    {
        if (comparisons.Count == 0) return;
        page.Heading("Differences on the same problems").Table(
            ["from → to", "measure", "problems", "difference, points [95 %]", "p (paired bootstrap)"],
            comparisons.Select(pair => (string[])
            [
                $"{pair.Before} → {pair.After}", pair.Measure == "greedy" ? "greedy" : "sampled pass@1", ReportFormat.Count(pair.Problems),
                $"{ReportFormat.Points(pair.Difference)} [{ReportFormat.Points(pair.Interval95.Low)}, {ReportFormat.Points(pair.Interval95.High)}]", ReportFormat.P(pair.P),
            ]));
    }

    private static void Proof(HtmlWriter page, RunReport report)
    {
        if (report.Parity is not { } parity) return;
        page.Heading("Exported = trained").Raw($"<p class='{(parity.Passed ? "ok" : "bad")}'>").Text(parity.Passed ? "The parity gate passed." : "The parity gate failed.").Raw("</p>\n");
        page.Table(["measure", "found", "allowed"], Measures(parity));
        if (report.OnnxAnswers is { } answers)
            page.Paragraph($"Greedy answers of the file equal to those of '{answers.Model}', token by token: {ReportFormat.Count(answers.Equal)} of {ReportFormat.Count(answers.Problems)} problems.");
    }

    private static IEnumerable<IReadOnlyList<string>> Measures(ParityReport parity) =>
    [
        ["largest logit difference", ReportFormat.Number(parity.MaxAbsLogitDiff, "G3"), ReportFormat.Number(parity.Tolerance.RelativeLogits * parity.MaxAbsLogit, "G3")],
        ["largest logit", ReportFormat.Number(parity.MaxAbsLogit, "G4"), ""],
        ["positions compared", ReportFormat.Count(parity.PositionsCompared), ""],
        ["greedy tokens compared", ReportFormat.Count(parity.GreedyTokensCompared), ""],
        ["of these different", ReportFormat.Count(parity.GreedyMismatches), ReportFormat.Number(Math.Floor(parity.Tolerance.MismatchShare * parity.GreedyTokensCompared), "0")],
        ["undecided in the trained model itself (ties)", ReportFormat.Count(parity.GreedyTies), ""],
    ];

    private static void Curation(HtmlWriter page, CurationCounts curation) => page.Heading("Traces").Table(
        ["", "traces"],
        [["kept", ReportFormat.Count(curation.Kept)], .. curation.Dropped.Select(pair => (IReadOnlyList<string>)[$"dropped: {pair.Key}", ReportFormat.Count(pair.Value)])]);

    private static void Traces(HtmlWriter page, RunReport report)
    {
        if (report.Evaluations.LastOrDefault(row => row.SampleTraces.Count > 0) is not { } row) return;
        page.Heading($"Two answers of {row.Model}");
        foreach (var trace in row.SampleTraces)
        {
            page.Raw("<div class='trace'>").Paragraph(trace.Problem).Raw("<div class='think'>").Text(trace.Reasoning).Raw("</div>")
                .Raw($"<b class='{(trace.Verdict == Data.Verification.Verdict.Correct ? "ok" : "bad")}'>").Text(trace.Answer ?? "(no answer)").Raw("</b> ")
                .Raw("<span class='dim'>").Text($"{trace.Verdict.ToString().ToLowerInvariant()}; reference: {trace.ReferenceAnswer}; {trace.ProblemId}").Raw("</span></div>\n");
        }
    }

    private static void Stages(HtmlWriter page, RunReport report)
    {
        static string Short(string digest) => digest.Length > 12 ? digest[..12] : digest;
        page.Heading("Stages").Table(
            ["stage", "state", "why", "seconds", "result", "made from", "digest"],
            report.Stages.Select(stage => (string[])
            [
                stage.Name, stage.State, stage.Reason, ReportFormat.Seconds(stage.Seconds), stage.Summary,
                string.Join(", ", stage.Inputs.Select(input => $"{input.Key} {Short(input.Value)}")), string.Join(", ", stage.Outputs.Values.Select(Short)),
            ]), "words");
        if (report.Throughput.Count > 0)
            page.Heading("Speed on this machine").Table(["rate", "per second"], report.Throughput.Select(pair => (string[])[pair.Key, ReportFormat.Number(pair.Value, "N0")]));
        page.Paragraph($"Recipe {report.RecipeDigest}. Full digests: run.lock.json.", "dim");
    }
}
