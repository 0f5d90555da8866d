using Distill.Pipeline.Recipes.Binding;
using Distill.Pipeline.Reporting.Page;
using Distill.Service.Occurrences;

namespace Distill.Service.Pages.Schedules;

/// <summary>One schedule: what it says, when it comes, and what became of every time that it came.</summary>
internal static class SchedulePage
{
    private const int PerPage = 50, NextTimes = 5;

    public static PageFrame Of(ServiceView view, ScheduleStatus status, FormProof? form, int page)
    {
        var schedule = status.Schedule;
        string place = ServicePaths.Schedule(schedule.Name);
        var shown = Paged<Occurrence>.Of(status.All, page, PerPage, one => one);
        return new($"schedule {schedule.Name}", ServicePaths.Overview,
            Html.Of($"{schedule.Name} {PageWords.Pill(status.State)}"), Html.Of($"""
            {PageWords.Live("settings", Parts.Section("When and how", "", Html.Of($"""
                {Buttons(status, form)}
                <dl class="facts">{Facts(status, view.Now).Select(fact => Html.Of($"<dt>{fact.Name}</dt><dd>{fact.Value}</dd>"))}</dl>
                """)))}
            {PageWords.Live("history", Parts.Section("What became of it", shown.All == 0 ? "It was never due." : "",
                Html.If(shown.All > 0, () => Html.Of($"""
                    {PageWords.Stacked(Parts.Table(["due, UTC", "why", "state", "reason", "attempts", "more"],
                        shown.Items.Select(one => Row(view, one)), "why", "state", "reason", "attempts", "more"))}
                    {PageWords.Pages(shown.Number, shown.Pages, number => $"{place}?page={number}")}
                    """))))}
            """))
        {
            Eyebrow = Html.Of($"<p class=\"eyebrow\">schedule of {schedule.Recipe}</p>"),
            Refresh = status.State is "running" or "waiting" ? PageFrame.AtWork : PageFrame.AtRest,
        };
    }

    /// <summary>The next times that it is due.</summary>
    public static IReadOnlyList<DateTimeOffset> Next(ScheduleStatus status)
    {
        var times = new List<DateTimeOffset>();
        var at = status.Next;
        while (at is { } time && times.Count < NextTimes)
        {
            times.Add(time);
            at = status.Schedule.Times().Next(time);
        }

        return times;
    }

    private static Html Buttons(ScheduleStatus status, FormProof? form) =>
        Html.If(form is not null, () => ScheduleTable.Buttons(status, form));

    private static IEnumerable<(string Name, string Value)> Facts(ScheduleStatus status, DateTimeOffset now)
    {
        var schedule = status.Schedule;
        var next = Next(status);
        yield return ("comes", $"{schedule.Cron}, {schedule.TimeZone}");
        yield return ("next", next.Count == 0 ? "not by itself"
            : $"{string.Join(" · ", next.Select(time => ScheduleTable.When(status, time)))}; in {PageWords.Duration(next[0] - now)}");
        yield return ("meets an earlier one", OptionDeclaration.Spell(schedule.Overlap));
        yield return ("catches up", OptionDeclaration.Spell(schedule.CatchUp));
        var retries = schedule.Retries;
        yield return ("tried again", $"{retries.Attempts} times after {retries.On}, {retries.DelayMinutes} min apart and more");
        yield return ("needs", schedule.Resource);
        if (schedule.LimitHours > 0) yield return ("ends after", $"{schedule.LimitHours} h");
        if (schedule.Set.Count > 0) yield return ("sets", string.Join(", ", schedule.Set.Select(pair => $"{pair.Key} = {pair.Value}")));
        if (schedule.Then.Promote is { Length: > 0 } place) yield return ("then promotes to", place);
        if (schedule.Then.Push.Length > 0) yield return ("then pushes to", schedule.Then.Push);
        if (schedule.Then.Notify.Length > 0) yield return ("then tells", schedule.Then.Notify);
    }

    private static Html Row(ServiceView view, Occurrence one) => Parts.Row(
        PageWords.Time(one.Due),
        PageWords.Cell(one.Cause switch { OccurrenceCause.CatchUp => "caught up", OccurrenceCause.Asked => "asked for", _ => "due" }),
        PageWords.Cell(PageWords.Pill(ScheduleTable.Word(one))),
        PageWords.Text(Reason(view, one)),
        Html.Of($"<td class=\"words free\">{one.Attempts.Select((attempt, i) => Attempt(view, attempt, i + 1))}</td>"),
        PageWords.Cell(Html.Of($"{Links(view, one)}")));

    private static string? Reason(ServiceView view, Occurrence one)
    {
        string? again = one is { IsOpen: true, NotBefore: { } time } ? $"the next attempt is made at {PageWords.Minute(time)}" : null;
        string text = string.Join("; ", ((string?[])[one.Reason, again]).OfType<string>());
        return view.Scrubbed(text);
    }

    private static Html Attempt(ServiceView view, Attempt attempt, int number)
    {
        string end = attempt.End is { } known ? known.ToString().ToLowerInvariant() : "at work";
        string where = attempt.Stage is { } stage ? $" in {stage}" : "", why = attempt.Message is { } message ? $": {message}" : "";
        return Html.Of($"<div>{number}. {end}<small>{Took(attempt)}{where}{view.Scrubbed(why)}</small></div>");
    }

    private static string Took(Attempt attempt) => attempt.Ended is { } ended
        ? PageWords.Duration(ended - attempt.Started) : $"since {PageWords.Minute(attempt.Started)}";

    private static IEnumerable<Html> Links(ServiceView view, Occurrence one)
    {
        if (view.FolderOf(one.Run) is not null) yield return Html.Of($"<a href=\"{ServicePaths.Run(one.Run)}\">run</a> ");
        if (File.Exists(view.Occurrences.LogPath(one)))
            yield return Html.Of($"<a href=\"{ServicePaths.Log(one.Schedule, one.Name)}\">log</a>");
    }
}
