using Distill.Pipeline.Reporting.Page;
using Distill.Pipeline.Runs;

namespace Distill.Service.Pages.Runs;

/// <summary>Runs in rows.</summary>
internal static class RunTable
{
    public static Html Of(IReadOnlyList<ShownRun> runs) =>
        PageWords.Stacked(Parts.Table(["run", "state", "progress", "changed, UTC", "more"], runs.Select(Row),
            "state", "progress", "changed, UTC", "more"));

    private static Html Row(ShownRun run) => Parts.Row(
        PageWords.Link(ServicePaths.Run(run.Name), run.Name),
        Html.Of($"<td class=\"words free\">{PageWords.Pill(run.State)}<small>{run.Reason}</small></td>"),
        run.Status is { } status ? Html.Of($"<td class=\"words free\">{PageWords.Progress(status)}</td>") : PageWords.None,
        PageWords.Cell(PageWords.Time(run.Changed)),
        PageWords.Cell(Html.Of($"""
            {Html.If(run.HasReport, () => PageWords.Link(ServicePaths.Of(run.Name, "report.html"), "report"))}
            {(run.Occurrence is { } one ? PageWords.Link(ServicePaths.Log(one.Schedule, one.Name), "log") : Html.Empty)}
            """)));
}

/// <summary>All runs, a page of them at a time.</summary>
internal static class RunsPage
{
    public const int PerPage = 50;

    public static PageFrame Of(ServiceView view, RunFilter filter, int page)
    {
        var runs = view.Runs(filter, page, PerPage);
        return new("runs", ServicePaths.Runs, Html.Of($"{PageWords.Count(runs.All, "run", "runs")}"), Html.Of($"""
            <form class="filters" method="get" action="/runs" role="search">
            <label class="wide">Part of the name<input type="search" name="q" value="{filter.Part}" autocomplete="off"></label>
            <label>State<select name="state"><option value="">any</option>
            {RunWord.All.Select(word => Option(word, filter.State))}</select></label>
            <button>Show</button>
            </form>
            {PageWords.Live("runs", Html.Of($"""
                {Html.If(runs.All == 0, () => Html.Of($"<p class=\"way\">No run matches.</p>"))}
                {Html.If(runs.All > 0, () => Html.Of($"<section>{RunTable.Of(runs.Items)}</section>"))}
                {PageWords.Pages(runs.Number, runs.Pages, number => Address(filter, number))}
                """))}
            """))
        {
            Refresh = runs.Items.Any(run => run.State == RunWord.Running) ? PageFrame.AtWork : PageFrame.AtRest,
        };
    }

    public static Html Option(string word, string? chosen) => word == chosen
        ? Html.Of($"<option selected>{word}</option>") : Html.Of($"<option>{word}</option>");

    private static string Address(RunFilter filter, int page) =>
        $"/runs?page={page}{(filter.Part is null ? "" : $"&q={ServicePaths.Escaped(filter.Part)}")}"
        + (filter.State is null ? "" : $"&state={ServicePaths.Escaped(filter.State)}");
}
