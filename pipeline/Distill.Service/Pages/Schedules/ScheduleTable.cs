using System.Globalization;
using Distill.Pipeline.Reporting.Page;
using Distill.Service.Occurrences;

namespace Distill.Service.Pages.Schedules;

/// <summary>Proves that a form is of a page that this person was shown.</summary>
/// <param name="Name">Of the hidden field.</param>
internal sealed record FormProof(string Name, string Value);

/// <summary>Schedules in rows, with their buttons for who may act.</summary>
internal static class ScheduleTable
{
    public static Html Of(IReadOnlyList<ScheduleStatus> schedules, FormProof? form) =>
        PageWords.Stacked(Parts.Table(
            ["schedule", "next", "state", "last", .. form is null ? (string[])[] : ["act"]],
            schedules.Select(schedule => Row(schedule, form)), "next", "state", "last", "act"));

    /// <summary>Its next time on the wall clock of its zone.</summary>
    public static string When(ScheduleStatus status) => When(status, status.Next!.Value);

    public static string When(ScheduleStatus status, DateTimeOffset time) =>
        status.Schedule.Times().WallTime(time).ToString("ddd yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);

    public static Html Outcome(Occurrence last) => Html.Of($"""
        <td class="words free">{PageWords.Pill(Word(last))} {PageWords.Time(last.Due)} UTC<small>{last.Reason}</small></td>
        """);

    public static string Word(Occurrence occurrence) => occurrence.State.ToString().ToLowerInvariant();

    public static Html Buttons(ScheduleStatus status, FormProof? form)
    {
        if (form is null) return Html.Empty;
        bool isPaused = status.State == "paused";
        return Html.Of($"""
            <div class="buttons">
            {Button(ServicePaths.RunNow(status.Schedule.Name), "Run now", status.Schedule.Name, form)}
            {Button(ServicePaths.Pause(status.Schedule.Name, !isPaused), isPaused ? "Resume" : "Pause", status.Schedule.Name, form)}
            </div>
            """);
    }

    private static Html Row(ScheduleStatus status, FormProof? form)
    {
        var schedule = status.Schedule;
        return Parts.Row(
            Html.Of($"""
                <a href="{ServicePaths.Schedule(schedule.Name)}">{schedule.Name}</a>
                <small>{Path.GetFileName(schedule.Recipe)} · {schedule.Cron} · {schedule.TimeZone}</small>
                """),
            status.Next is null ? PageWords.None : PageWords.Cell(When(status)),
            PageWords.Cell(PageWords.Pill(status.State)),
            status.Last is { } last ? Outcome(last) : PageWords.None,
            Html.If(form is not null, () => PageWords.Cell(Buttons(status, form))));
    }

    private static Html Button(string action, string label, string schedule, FormProof proof) => Html.Of($"""
        <form method="post" action="{action}"><input type="hidden" name="{proof.Name}" value="{proof.Value}">
        <button aria-label="{label}: {schedule}">{label}</button></form>
        """);
}
