using Distill.Pipeline.Reporting.Page;

namespace Distill.Pipeline.Reporting;

/// <summary>
/// A report as one page that needs nothing else: no script, no network, opened from disk. Equal reports give equal bytes. Its policy
/// forbids scripts too, should a model's text ever find a way around the escaping.
/// </summary>
internal static class ReportHtml
{
    /// <param name="curves">Learning curves, in the order to be shown.</param>
    public static string Render(RunReport report, IReadOnlyList<MetricSeries> curves) =>
        Page(report, curves, new ReportModels(report)).ToString();

    private static Html Page(RunReport report, IReadOnlyList<MetricSeries> curves, ReportModels models) => Html.Of($"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>{report.Run} · Distill</title>
        {Html.Style("report.css")}
        </head>
        <body>
        <main>
        {Header(report)}
        {PromotionVerdict.Of(report)}
        {ResultsSection.Of(models)}
        {AccuracySection.Of(report, models)}
        {ComparisonSections.Pairs(report, models)}
        {SideBySideSection.Of(report, models)}
        {ComparisonSections.Domains(models)}
        {ComparisonSections.Twins(models)}
        {ExportSection.Of(report, models)}
        {CurveSection.Of(curves, models)}
        {LengthSection.Of(report, models)}
        {TraceSections.Samples(models)}
        {TraceSections.Curation(report)}
        {CostSection.Of(report)}
        {LineageSection.Of(report)}
        {ProvenanceSections.Of(report)}
        </main>
        </body>
        </html>

        """);

    private const string HowToRead = "Brackets are 95 % intervals: so far could the choice of the test problems alone move a figure. "
        + "They speak of these models; the same recipe with another seed trains another student.";

    /// <summary>The verdict in words, and what supports it.</summary>
    private static Html Header(RunReport report) => Header(report, ReasoningSentence.Of(report), Findings.Of(report));

    private static Html Header(RunReport report, string reasoning, IReadOnlyList<Finding> findings) => Html.Of($"""
        <header>
        <p class="eyebrow">Distill · run <b>{report.Run}</b> · recipe {Parts.Digest(report.RecipeDigest)}{Time(report)}</p>
        <h1>{Unbroken(Findings.Headline(report))}</h1>
        {Html.If(reasoning.Length > 0, () => Html.Of($"<p class=\"lead\">{reasoning}</p>"))}
        <ul class="findings">{Lessons.Of(report).Select(Lesson)}</ul>
        {Html.If(report.Evaluations.Count > 0, () => Html.Of($"<p class=\"note\">{HowToRead}</p>"))}
        <div class="story">{Story.Of(report).Select(text => Html.Of($"<p>{text}</p>"))}</div>
        {Html.If(findings.Count > 0, () => Html.Of($"""
            <details><summary>Every difference that was tested, and what else is to be known</summary>
            <ul class="findings">{findings.Select(Item)}</ul></details>
            """))}
        {report.Notes.Select(text => Html.Of($"<p class=\"remark\">{text}</p>"))}
        </header>
        """);

    // What it is about stands before the colon.
    private static Html Lesson(Finding finding) => finding.Text.Split(": ", 2) is [var about, var told]
        ? Html.Of($"<li class=\"{Class(finding.Kind)}\"><b>{about}:</b> {told}</li>") : Item(finding);

    private static Html Item(Finding finding) => Html.Of($"<li class=\"{Class(finding.Kind)}\">{finding.Text}</li>");

    // A line never ends between a model and its figure, or between a figure and its sign.
    private static string Unbroken(string text) =>
        string.Concat(text.Select((c, i) => c == ' ' && i + 1 < text.Length && "0123456789%<>".Contains(text[i + 1]) ? '\u00a0' : c));

    private static string Time(RunReport report) => report.Stages.Any(stage => stage.Seconds is not null)
        ? $" · {ReportNumbers.Time(report.Stages)}" : "";

    private static string Class(FindingKind kind) => kind switch
    {
        FindingKind.Good => "good",
        FindingKind.Bad => "bad",
        _ => "open",
    };
}
