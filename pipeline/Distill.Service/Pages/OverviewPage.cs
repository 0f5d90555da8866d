using System.Globalization;
using Distill.Pipeline.Reporting.Page;
using Distill.Service.Hosting;
using Distill.Service.Occurrences;

namespace Distill.Service.Pages;

/// <summary>The one page of the service: what is scheduled, what runs, what ran. No script; it asks for itself again while something
/// runs.</summary>
internal static class OverviewPage
{
    private const int WhileAtWork = 5, Otherwise = 60; // seconds

    /// <param name="form">The hidden field that proves that a form is of this page; null for who may not act.</param>
    public static string Render(ServiceView view, (string Name, string Value)? form)
    {
        var schedules = view.Schedules();
        var runs = view.Runs(schedules);
        int refresh = runs.Any(run => run.State == "running") || schedules.Any(one => one.State is "running" or "waiting")
            ? WhileAtWork : Otherwise;
        return Html.Of($"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta http-equiv="refresh" content="{refresh}">
            <title>Distill</title>
            <link rel="stylesheet" href="{ServicePaths.Style}">
            </head>
            <body>
            <main>
            <header>
            <p class="eyebrow">Distill · <a href="{ServicePaths.Queue}">queue</a> · {SignIn(form)}{Time(view.Now)} UTC</p>
            <h1>{Headline(schedules, runs)}</h1>
            {view.Troubles.Select(text => Html.Of($"<p class=\"remark\" role=\"status\">{text}</p>"))}
            </header>
            {Parts.Section("Schedules", "", Parts.Table(["schedule", "next", "state", "last", ""],
                schedules.Select(schedule => Row(schedule, form)), "next", "state", "last", ""))}
            {Parts.Section("Runs", runs.Count == 0 ? "None yet." : "", runs.Count == 0 ? Html.Empty
                : Parts.Table(["run", "state", "progress", "changed", ""], runs.Select(Row), "state", "progress", "changed", ""))}
            </main>
            </body>
            </html>

            """).ToString();
    }

    private static Html SignIn((string Name, string Value)? form) =>
        Html.If(form is null, () => Html.Of($"<a href=\"{ServicePaths.SignIn}\">sign in to act</a> · "));

    private static string Headline(IReadOnlyList<ScheduleStatus> schedules, IReadOnlyList<ShownRun> runs)
    {
        int atWork = runs.Count(run => run.State == "running");
        string now = atWork switch { 0 => "Nothing runs", 1 => "1 run is at work", _ => $"{atWork} runs are at work" };
        var next = schedules.Where(schedule => schedule.Next is not null).MinBy(schedule => schedule.Next);
        return next is null ? $"{now}; nothing is due." : $"{now}; {next.Schedule.Name} is due next, {When(next)}.";
    }

    private static Html Row(ScheduleStatus status, (string Name, string Value)? form)
    {
        var schedule = status.Schedule;
        string pill = status.State switch { "running" => "good", "paused" or "disabled" => "open", _ => "" };
        return Parts.Row(
            Html.Of($"{schedule.Name}<small>{Path.GetFileName(schedule.Recipe)} · {schedule.Cron} · {schedule.TimeZone}</small>"),
            Words(status.Next is null ? "–" : When(status)),
                Html.Of($"<td class=\"words\"><span class=\"pill {pill}\">{status.State}</span></td>"),
            status.Last is { } last ? Outcome(last) : Words("–"), Buttons(status, form));
    }

    private static Html Outcome(Occurrence last)
    {
        string pill = last.State switch
        {
            OccurrenceState.Finished => "good",
            OccurrenceState.Skipped or OccurrenceState.Cancelled => "open",
            _ => "bad",
        };
        return Html.Of($"""
            <td class="words free"><span class="pill {pill}">{last.State.ToString().ToLowerInvariant()}</span> {Time(last.Due)} UTC
            <small>{last.Reason}</small></td>
            """);
    }

    private static Html Buttons(ScheduleStatus status, (string Name, string Value)? form)
    {
        if (form is not { } proof) return Html.Of($"<td></td>");
        bool isPaused = status.State == "paused";
        return Html.Of($"""
            <td class="words"><div class="buttons">
            {Button(ServicePaths.Run(status.Schedule.Name), "Run now", status.Schedule.Name, proof)}
            {Button(ServicePaths.Pause(status.Schedule.Name, !isPaused), isPaused ? "Resume" : "Pause", status.Schedule.Name, proof)}
            </div></td>
            """);
    }

    private static Html Button(string action, string label, string schedule, (string Name, string Value) proof) => Html.Of($"""
        <form method="post" action="{action}"><input type="hidden" name="{proof.Name}" value="{proof.Value}">
        <button aria-label="{label}: {schedule}">{label}</button></form>
        """);

    private static Html Row(ShownRun run)
    {
        string pill = run.State switch { "finished" => "good", "failed" => "bad", _ => "open" };
        var log = run.Occurrence is { } occurrence
            ? Html.Of($"<a href=\"{ServicePaths.Log(occurrence.Schedule, occurrence.Name)}\">log</a>") : Html.Empty;
        var report = Html.If(run.HasReport, () => Html.Of($"<a href=\"{ServicePaths.Report(run.Name)}\">report</a>"));
        return Parts.Row(
            Html.Of($"{run.Name}"),
            Html.Of($"<td class=\"words free\"><span class=\"pill {pill}\">{run.State}</span><small>{run.Reason}</small></td>"),
            Progress(run), Words($"{Time(run.Changed)} UTC"),
            Html.Of($"""
                <td class="words">{report} {log}</td>
                """));
    }

    private static Html Progress(ShownRun run)
    {
        if (run.State != "running" || run.Status is not { } status) return Words("–");
        string left = status.Left is { } time ? $", {Duration(time)} left" : "";
        return Html.Of($"""
            <td class="words"><b>{status.Stage}</b> <progress max="1" value="{status.Share}">{status.Share * 100} %</progress>
            <small>{status.Progress}{left}</small></td>
            """);
    }

    private static Html Words(string text) => Html.Of($"<td class=\"words\">{text}</td>");

    private static string When(ScheduleStatus status) =>
        $"{status.Schedule.Times().WallTime(status.Next!.Value).ToString("ddd yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)}";

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);

    private static string Duration(TimeSpan time) => time.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours} h {time.Minutes} min")
        : string.Create(CultureInfo.InvariantCulture, $"{time.Minutes}:{time.Seconds:D2}");
}
