using System.Globalization;
using Distill.Pipeline.Reporting.Page;
using Distill.Service.Running;

namespace Distill.Service.Pages;

/// <summary>What the pages are made of beside the parts of the report.</summary>
internal static class PageWords
{
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    public static Html None { get; } = Html.Of($"<td class=\"words absent\">–</td>");

    /// <summary>UTC, to the minute.</summary>
    public static string Minute(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm", Culture);

    public static string Second(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", Culture);

    public static Html Time(DateTimeOffset time) =>
        Html.Of($"<time datetime=\"{time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", Culture)}\">{Minute(time)}</time>");

    public static string Duration(TimeSpan time) => time switch
    {
        { TotalHours: >= 48 } => string.Create(Culture, $"{(int)time.TotalDays} d {time.Hours} h"),
        { TotalHours: >= 1 } => string.Create(Culture, $"{(int)time.TotalHours} h {time.Minutes:D2} min"),
        { TotalMinutes: >= 1 } => string.Create(Culture, $"{time.Minutes}:{time.Seconds:D2} min"),
        _ => string.Create(Culture, $"{time.Seconds} s"),
    };

    public static string Count(long count, string one, string many) => string.Create(Culture, $"{count:N0} {(count == 1 ? one : many)}");

    /// <summary>A state in a word; its colour only repeats it.</summary>
    public static Html Pill(string word) => Html.Of($"<span class=\"pill {ClassOf(word)}\">{word}</span>");

    public static Html Cell(string text) => Html.Of($"<td class=\"words\">{text}</td>");

    public static Html Cell(Html markup) => Html.Of($"<td class=\"words\">{markup}</td>");

    /// <summary>Words that may wrap.</summary>
    public static Html Text(string? text) => Html.Of($"<td class=\"words free\">{text}</td>");

    public static Html Link(string path, string text) => Html.Of($"<a href=\"{path}\">{text}</a>");

    public static Html Links(params IEnumerable<Html> links) => Html.Of($"<p class=\"links\">{links}</p>");

    /// <summary>How far a run is: a bar, what it counts, what is left.</summary>
    public static Html Progress(RunStatus status) => status.Stage is null
        ? Html.Of($"<span class=\"way\">{Waiting(status)}</span>") : Html.Of($"""
        <b>{status.Stage}</b> <progress max="1" value="{status.Share}" aria-label="{status.Stage}">{status.Share * 100} %</progress>
        <small>{status.Progress}{Left(status)}</small>
        """);

    /// <summary>A table whose rows become blocks where the window is narrow.</summary>
    public static Html Stacked(Html table) => Html.Of($"<div class=\"stack\">{table}</div>");

    /// <summary>A part that the script replaces by its newer self.</summary>
    public static Html Live(string id, Html content) => Html.Of($"""
        <div id="{id}" data-live>{content}</div>

        """);

    /// <summary>Links to the pages before and after; nothing where all is shown.</summary>
    /// <param name="page">From 1.</param>
    /// <param name="to">Address of a page by its number.</param>
    public static Html Pages(int page, int pages, Func<int, string> to) => Html.If(pages > 1, () => Html.Of($"""
        <nav class="pages" aria-label="Further pages">
        {(page > 1 ? Html.Of($"<a rel=\"prev\" href=\"{to(page - 1)}\">← before</a>") : Html.Of($"<span></span>"))}
        <span>page {page} of {pages}</span>
        {(page < pages ? Html.Of($"<a rel=\"next\" href=\"{to(page + 1)}\">after →</a>") : Html.Of($"<span></span>"))}
        </nav>
        """));

    private static string Left(RunStatus status) => (status.Left, status.LeftInAll) switch
    {
        ({ } stage, { } whole) => $" · {Duration(stage)} left in this stage, {Duration(whole)} in all",
        ({ } stage, null) => $" · {Duration(stage)} left in this stage",
        (null, { } whole) => $" · {Duration(whole)} left in all",
        _ => "",
    };

    private static string Waiting(RunStatus status) => status.Progress.Length > 0 ? status.Progress : "between stages";

    private static string ClassOf(string word) => word switch
    {
        "running" => "busy",
        "finished" or "done" or "ready" or "kept" or "correct" or "in place" => "good",
        "failed" or "damaged" or "refused" or "incorrect" or "not ready" or "interrupted" or "gone"
            or "unreadable" => "bad",
        "stopped" or "paused" or "disabled" or "skipped" or "cancelled" or "undecidable" or "degraded" or "unreferenced"
            or "silent" => "open",
        _ => "",
    };
}
