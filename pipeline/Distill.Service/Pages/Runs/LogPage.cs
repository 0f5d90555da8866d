using System.Text;
using Distill.Pipeline.Reporting.Page;
using Distill.Pipeline.Runs;
using Distill.Service.Occurrences;

namespace Distill.Service.Pages.Runs;

/// <summary>The end of a log, without secrets.</summary>
/// <param name="Lines">Oldest first.</param>
/// <param name="IsWhole">Whether nothing came before them.</param>
internal sealed record LogTail(IReadOnlyList<string> Lines, bool IsWhole)
{
    private const int MostBytes = 512 << 10, LongestLine = 4_000;

    public static LogTail Empty { get; } = new([], true);

    /// <param name="scrub">Takes secrets out of a line.</param>
    public static LogTail Read(string path, int most, Func<string, string> scrub)
    {
        var file = new FileInfo(path);
        if (!file.Exists || file.LinkTarget is not null) return Empty;
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        long start = Math.Max(0, stream.Length - MostBytes);
        stream.Position = start;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        if (start > 0) reader.ReadLine(); // it began before
        var lines = new List<string>();
        while (reader.ReadLine() is { } line) lines.Add(line.Length > LongestLine ? line[..LongestLine] + "…" : line);
        return new([.. lines.TakeLast(most).Select(scrub)], start == 0 && lines.Count <= most);
    }

    /// <summary>What was said from a moment on.</summary>
    /// <param name="until">Null for to the end.</param>
    public LogTail Between(DateTimeOffset from, DateTimeOffset? until)
    {
        string first = Stamp(from), last = until is { } end ? Stamp(end) : "~";
        return this with
        {
            Lines = [.. Lines.Where(line => string.CompareOrdinal(line, first) >= 0 && string.CompareOrdinal(line, last) < 0)],
        };
    }

    // How lines begin; times of that form sort as texts.
    private static string Stamp(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>What a run said of itself, and what each attempt of its schedule said.</summary>
internal static class LogPage
{
    public const int MostLines = 500;

    public static PageFrame Of(ServiceView view, ShownRun run, string path)
    {
        var log = LogTail.Read(path, MostLines, view.Scrubbed);
        string note = log.IsWhole ? "" : $"The last {PageWords.Count(log.Lines.Count, "line", "lines")}; the text has what came before.";
        return new($"log of {run.Name}", ServicePaths.Runs, Html.Of($"Log of {run.Name} {PageWords.Pill(run.State)}"), Html.Of($"""
            {PageWords.Live("log", Parts.Section("The run", note, Html.Of($"""
                {Text(log, "It said nothing: it was begun by an earlier version.")}
                {PageWords.Links(PageWords.Link(ServicePaths.Of(run.Name, "log.txt"), "as text"))}
                """)))}
            {PageWords.Live("attempts", run.Occurrence is { Attempts.Count: > 0 } one ? Attempts(view, one) : Html.Empty)}
            """))
        {
            Eyebrow = Html.Of($"<p class=\"eyebrow\"><a href=\"{ServicePaths.Run(run.Name)}\">run {run.Name}</a></p>"),
            Refresh = run.State == RunWord.Running ? PageFrame.AtWork : PageFrame.AtRest,
        };
    }

    private static Html Attempts(ServiceView view, Occurrence one)
    {
        var log = LogTail.Read(view.Occurrences.LogPath(one), MostLines, view.Scrubbed);
        return Parts.Section("Its attempts", "What the service heard of them, and why they ended.", Html.Of($"""
            {one.Attempts.Select((attempt, i) => Attempt(log, one.Attempts, i))}
            {PageWords.Links(PageWords.Link(ServicePaths.Log(one.Schedule, one.Name), "as text"))}
            """));
    }

    private static Html Attempt(LogTail log, IReadOnlyList<Attempt> attempts, int i)
    {
        var attempt = attempts[i];
        bool isLast = i == attempts.Count - 1;
        var lines = log.Between(attempt.Started, isLast ? null : attempts[i + 1].Started);
        string end = attempt.End?.ToString().ToLowerInvariant() ?? "at work";
        return Html.Of($"""
            <details{Html.If(isLast, () => Html.Of($" open"))}>
            <summary>Attempt {i + 1}, {PageWords.Second(attempt.Started)} UTC: {end}</summary>
            {Text(lines, "Nothing is left of what it said.")}</details>

            """);
    }

    private static Html Text(LogTail log, string otherwise) => log.Lines.Count == 0
        ? Html.Of($"<p class=\"way\">{otherwise}</p>")
        : Html.Of($"<pre class=\"log\" tabindex=\"0\" aria-label=\"log\">{string.Join('\n', log.Lines)}</pre>");
}
