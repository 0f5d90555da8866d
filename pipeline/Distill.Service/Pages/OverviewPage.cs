using Distill.Pipeline.Reporting.Page;
using Distill.Pipeline.Runs;
using Distill.Service.Pages.Runs;
using Distill.Service.Pages.Schedules;

namespace Distill.Service.Pages;

/// <summary>What is at work, what is due, what ran, and how the service is.</summary>
internal static class OverviewPage
{
    private const int Latest = 15;

    /// <param name="form">The hidden field that proves that a form is of this page; null for who may not act.</param>
    public static PageFrame Of(ServiceView view, FormProof? form)
    {
        var schedules = view.Schedules();
        var runs = view.Runs(new(), 1, Latest);
        List<ShownRun> atWork = [.. runs.Items.TakeWhile(run => run.State == RunWord.Running)];
        bool isBusy = atWork.Count > 0 || schedules.Any(one => one.State is "running" or "waiting");
        return new("overview", ServicePaths.Overview, Html.Of($"{Headline(schedules, atWork.Count)}"), Html.Of($"""
            {PageWords.Live("health", Html.Of($"{view.Troubles.Select(Trouble)}"))}
            {PageWords.Live("at-work", Html.If(atWork.Count > 0, () => Parts.Section("At work", "",
                Html.Of($"<ul class=\"cards\">{atWork.Select(Card)}</ul>"))))}
            {PageWords.Live("schedules", Parts.Section("Schedules", schedules.Count == 0 ? "None in the file." : "",
                Html.If(schedules.Count > 0, () => ScheduleTable.Of(schedules, form))))}
            {PageWords.Live("runs", Parts.Section("Latest runs", runs.All == 0 ? "None yet." : "", Html.If(runs.All > 0, () => Html.Of($"""
                {RunTable.Of(runs.Items)}
                {Html.If(runs.Pages > 1, () => PageWords.Links(PageWords.Link("/runs", $"All {PageWords.Count(runs.All, "run", "runs")}")))}
                """))))}
            {PageWords.Live("state", Parts.Section("Service", "", Html.Of($"""
                <p>{PageWords.Pill(view.Health)} {FreeDisk(view)} · <a href="{ServicePaths.Queue}">queue</a>
                · <a href="/health">health</a> · <a href="/api/overview">this page as JSON</a></p>
                """)))}
            """))
        {
            Refresh = isBusy ? PageFrame.AtWork : PageFrame.AtRest,
        };
    }

    private static Html Trouble(string text) => Html.Of($"<p class=\"remark\" role=\"status\">{text}</p>");

    private static string Headline(IReadOnlyList<ScheduleStatus> schedules, int atWork)
    {
        string now = atWork switch { 0 => "Nothing runs", 1 => "1 run is at work", _ => $"{atWork} runs are at work" };
        var next = schedules.Where(schedule => schedule.Next is not null).MinBy(schedule => schedule.Next);
        return next is null ? $"{now}; nothing is due."
            : $"{now}; {next.Schedule.Name} is due next, {ScheduleTable.When(next)} {next.Schedule.TimeZone}.";
    }

    private static Html Silent { get; } = Html.Of($"<span class=\"way\">says nothing of its progress</span>");

    private static Html Card(ShownRun run) => Html.Of($"""
        <li><a href="{ServicePaths.Run(run.Name)}">{run.Name}</a>
        <div>{(run.Status is { } status ? PageWords.Progress(status) : Silent)}</div></li>

        """);

    private static string FreeDisk(ServiceView view) => view.FreeDisk is { } free
        ? $"{Pipeline.Reporting.ReportNumbers.Bytes(free)} free for runs"
        : Directory.Exists(view.RunsFolder) ? "room for runs not known" : "no folder of runs yet";
}
