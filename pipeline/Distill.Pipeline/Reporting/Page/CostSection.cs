namespace Distill.Pipeline.Reporting.Page;

/// <summary>What each stage took: time, tokens, disk, money, and how fast it was.</summary>
internal static class CostSection
{
    public static Html Of(RunReport report)
    {
        var stages = report.Stages.Where(stage => stage.Seconds is not null || stage.Amounts is not null).ToList();
        bool isPaid = stages.Any(stage => stage.Amounts?.Cost is not null);
        string[] paid = isPaid ? ["paid"] : [];
        string[] header = ["stage", "time", "of all", "rows", "steps", "prompt tokens", "tokens", "tokens/s", "disk", .. paid];
        double all = stages.Sum(stage => stage.Seconds ?? 0);
        return Html.If(stages.Any(stage => stage.Amounts is not null), () => Parts.Section(
            "What it took",
            "Stages that this run did, or had done before. Rows are problems, completions, examples or prompts; tokens are those of "
            + "completions, or those that a student read. Tokens per second are those of the process that finished the stage, opening and "
            + "closing included. "
            + (isPaid ? "Paid is what this run paid, in the currency of the recipe's prices." : "Nothing was paid for.")
            + (stages.Any(IsBound)
                ? " ≥: a process that was stopped or killed, or another machine, did a part whose time or price is not known." : ""),
            Parts.Table(header, [.. stages.Select(stage => Row(stage, all, isPaid)), Sum(stages, all, isPaid)])));
    }

    private static bool IsBound(StageReport stage) => stage.IsTimeAtLeast || stage.Amounts is { Cost: not null, IsCostAtLeast: true };

    private static Html Row(StageReport stage, double all, bool isPaid) => Parts.Row(Html.Of($"{stage.Name}"),
    [
        stage.Seconds is { } seconds ? Parts.Cell(ReportNumbers.Time(stage, seconds)) : Parts.Absent,
        stage.Seconds is { } part && all > 0 ? Share(part / all) : Parts.Absent,
        Count(stage.Amounts?.Rows), Count(stage.Amounts?.Steps), Count(stage.Amounts?.PromptTokens), Count(stage.Amounts?.Tokens),
        stage.Amounts?.TokensPerSecond is { } rate ? Parts.Cell(ReportNumbers.Short(rate)) : Parts.Cell(""),
        stage.Amounts is { } amounts ? Parts.Cell(ReportNumbers.Bytes(amounts.Bytes)) : Parts.Absent,
        .. isPaid ? [Paid(stage.Amounts)] : Array.Empty<Html>(),
    ]);

    private static Html Sum(IReadOnlyList<StageReport> stages, double all, bool isPaid) => Parts.Row(Html.Of($"<b>all</b>"),
    [
        Bold(ReportNumbers.Time(stages)), Parts.Cell(""), Parts.Cell(""), Parts.Cell(""),
        Bold(ReportNumbers.Count(stages.Sum(stage => stage.Amounts?.PromptTokens ?? 0))),
        Bold(ReportNumbers.Count(stages.Sum(stage => stage.Amounts?.Tokens ?? 0))), Parts.Cell(""),
        Bold(ReportNumbers.Bytes(stages.Sum(stage => stage.Amounts?.Bytes ?? 0))),
        .. isPaid ? [Bold(ReportNumbers.AtLeast(
            stages.Any(stage => stage.Amounts is { Cost: not null, IsCostAtLeast: true }),
            ReportNumbers.Short(stages.Sum(stage => stage.Amounts?.Cost ?? 0))))] : Array.Empty<Html>(),
    ]);

    // A share of the time is measured, not sampled: it has no interval.
    private static Html Share(double share) => Html.Of($"""
        <td class="share p{(int)Math.Round(Math.Clamp(share, 0, 1) * 50) * 2}">{ReportNumbers.Percent(share, 1)}</td>
        """);

    private static Html Count(long? count) => Parts.Cell(count is { } known ? ReportNumbers.Count(known) : "");

    private static Html Paid(StageAmounts? amounts) => Parts.Cell(
        amounts?.Cost is { } known ? ReportNumbers.AtLeast(amounts.IsCostAtLeast, ReportNumbers.Short(known)) : "");

    private static Html Bold(string text) => Html.Of($"<td><b>{text}</b></td>");
}
