using Distill.Pipeline.Reporting.Page;

namespace Distill.Pipeline.Reporting;

/// <summary>
/// A report as one page that needs nothing else: no script, no network, opened from disk. Equal reports give equal bytes. Its policy
/// forbids scripts too, should a model's text ever find a way around the escaping.
/// </summary>
public static class ReportHtml
{
    /// <param name="curves">Learning curves, in the order to be shown.</param>
    public static string Render(RunReport report, IReadOnlyList<MetricSeries> curves) => Page(report, curves).ToString();

    private static Html Page(RunReport report, IReadOnlyList<MetricSeries> curves) => Html.Of($"""
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
        {HeaderSection.Of(report)}
        {ResultsSection.Of(report)}
        {ComparisonSection.Of(report)}
        {DomainSection.Of(report)}
        {TwinSection.Of(report)}
        {ExportSection.Of(report)}
        {CurveSection.Of(curves)}
        {TraceSection.Of(report)}
        {CurationSection.Of(report)}
        {StageSection.Of(report)}
        </main>
        </body>
        </html>

        """);
}
