namespace Distill.Pipeline.Reporting.Page;

/// <summary>The verdict in words, and what supports it.</summary>
internal static class HeaderSection
{
    public static Html Of(RunReport report) => Html.Of($"""
        <header>
        <p class="eyebrow">Distill · run <b>{report.Run}</b> · recipe {Parts.Digest(report.RecipeDigest)}{Time(report)}</p>
        <h1>{Unbroken(Headline.Of(report))}</h1>
        <ul class="findings">{Findings.Of(report).Select(finding => Html.Of($"<li class=\"{Class(finding.Kind)}\">{finding.Text}</li>"))}</ul>
        {report.Notes.Select(text => Html.Of($"<p class=\"remark\">{text}</p>"))}
        </header>
        """);

    // A line never ends between a model and its figure, or between a figure and its sign.
    private static string Unbroken(string text) =>
        string.Concat(text.Select((c, i) => c == ' ' && i + 1 < text.Length && "0123456789%<>".Contains(text[i + 1]) ? '\u00a0' : c));

    private static string Time(RunReport report) =>
        report.Stages.Any(stage => stage.Seconds is not null) ? $" · {ReportNumbers.Seconds(report.Stages.Sum(stage => stage.Seconds ?? 0))}" : "";

    private static string Class(FindingKind kind) => kind switch
    {
        FindingKind.Good => "good",
        FindingKind.Bad => "bad",
        _ => "open",
    };
}
