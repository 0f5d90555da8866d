namespace Distill.Pipeline.Reporting.Page;

/// <summary>Where every number comes from: the stages with the digests of what they read and made, and how fast they were.</summary>
internal static class StageSection
{
    public static Html Of(RunReport report) => Html.Of($"""
        {Html.If(report.Throughput.Count > 0, () => Parts.Section("Throughput", "", Parts.Table(
            ["rate", "value"], report.Throughput.Select(rate => Parts.Row(Html.Of($"{ReportNumbers.Words(rate.Key)}"), Parts.Cell(ReportNumbers.Short(rate.Value)))))))}
        {Html.If(report.Stages.Count > 0, () => Parts.Section(
            "Stages",
            "Digests name the bytes that were read and made; point at one to see all of it.",
            Parts.Table(["stage", "state", "time", "reason", "read", "made"], report.Stages.Select(Row), "state", "reason", "read", "made")))}
        """);

    private static Html Row(StageReport stage) => Parts.Row(
        Html.Of($"{stage.Name}"),
        Html.Of($"<td class=\"words\"><span class=\"pill {Class(stage.State)}\">{Word(stage.State)}</span></td>"),
        stage.Seconds is { } seconds ? Parts.Cell(ReportNumbers.Seconds(seconds)) : Parts.Absent,
        Html.Of($"<td class=\"words reason\">{stage.Reason}</td>"),
        Digests(stage.Inputs),
        Digests(stage.Outputs));

    private static Html Digests(IReadOnlyDictionary<string, string> digests) => Html.Of($"""
        <td class="words">{digests.Select(digest => Html.Of($"<div class=\"digest\">{digest.Key} {Parts.Digest(digest.Value)}</div>"))}</td>
        """);

    private static string Word(StageState state) => state switch
    {
        StageState.Done => "done",
        StageState.Cached => "cached",
        StageState.Skipped => "skipped",
        _ => "failed",
    };

    private static string Class(StageState state) => state switch
    {
        StageState.Done => "good",
        StageState.Failed => "bad",
        _ => "open",
    };
}
