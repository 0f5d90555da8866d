using Distill.Pipeline.Reporting;
using Distill.Pipeline.Reporting.Page;
using Distill.Service.Fleet;

namespace Distill.Service.Pages.Fleet;

/// <summary>Workers and the runs they were given: who does what, how many units are done, what waits for somebody.</summary>
internal static class FleetPage
{
    private const int MostSetAside = 20;

    /// <param name="scrub">Takes secrets out of a text.</param>
    public static PageFrame Of(FleetStatus fleet, DateTimeOffset now, Func<string, string> scrub)
    {
        int working = fleet.Workers.Count(worker => worker.State == WorkerState.Working);
        int living = fleet.Workers.Count(worker => worker.State is WorkerState.Working or WorkerState.Waiting);
        string heading = fleet.Workers.Count == 0 ? "There was no worker here yet" : living == 0 ? "No worker is here now"
            : $"{working} of {PageWords.Count(living, "worker", "workers")} at work";
        return new("fleet", ServicePaths.Fleet, Html.Of($"{heading}"), Html.Of($"""
            {PageWords.Live("workers", Parts.Section("Workers",
                fleet.Workers.Count == 0 ? "'distill worker' on any machine that reaches this folder of runs makes one." : "",
                Html.If(fleet.Workers.Count > 0, () => PageWords.Stacked(Parts.Table(["worker", "state", "queues", "does", "heard of, UTC"],
                    fleet.Workers.Select(worker => Worker(worker, now, scrub)), "state", "queues", "does", "heard of, UTC")))))}
            {PageWords.Live("orders", Parts.Section("Runs they were given", fleet.Runs.Count == 0 ? "None." : "",
                Html.If(fleet.Runs.Count > 0, () => PageWords.Stacked(Parts.Table(["run", "stage", "queue", "units", "at work"],
                    fleet.Runs.SelectMany(Rows), "stage", "queue", "units", "at work")))))}
            """))
        {
            Refresh = working > 0 || fleet.Runs.Count > 0 ? PageFrame.AtWork : PageFrame.AtRest,
        };
    }

    private static Html Worker(WorkerStatus worker, DateTimeOffset now, Func<string, string> scrub)
    {
        var note = worker.Note;
        return Parts.Row(
            Html.Of($"{note.Name}<small>{note.Host}, process {note.Process}</small>"),
            Html.Of($"<td class=\"words free\">{PageWords.Pill(Word(worker.State))}<small>{scrub(note.Trouble ?? "")}</small></td>"),
            PageWords.Cell(string.Join(", ", note.Queues)),
            note.Doing is { } doing ? Work(doing, now) : PageWords.None,
            PageWords.Cell(PageWords.Time(note.Written)));
    }

    private static Html Work(WorkAtHand doing, DateTimeOffset now) => Html.Of($"""
        <td class="words free"><a href="{ServicePaths.Run(doing.Run)}">{doing.Run}</a> {Part(doing)}
        <small>{doing.Detail} for {PageWords.Duration(now - doing.Since)}</small></td>
        """);

    private static string Part(WorkAtHand doing) => doing.End == 0 ? doing.Stage : $"{doing.Stage}, units {doing.First} to {doing.End - 1}";

    private static IEnumerable<Html> Rows(FleetRunStatus run) => run.Stages.Count == 0
        ? [Parts.Row(PageWords.Link(ServicePaths.Run(run.Run), run.Run), PageWords.Text("nothing that can be worked on now"))]
        : run.Stages.Select(stage => Row(run.Run, stage));

    private static Html Row(string run, FleetStageStatus stage) => Parts.Row(
        Html.Of($"<a href=\"{ServicePaths.Run(run)}\">{run}</a>"),
        PageWords.Cell(stage.Stage),
        PageWords.Cell(stage.Queue),
        Html.Of($"<td class=\"words free\">{Units(stage)}</td>"),
        PageWords.Text(stage.AtWork.Count > 0 ? string.Join(", ", stage.AtWork)
            : stage.HasWorkers ? "waits for a worker to be free" : $"no living worker takes the queue '{stage.Queue}'"));

    private static Html Units(FleetStageStatus stage)
    {
        if (stage.Units is not { } units) return Html.Of($"as a whole");
        string aside = stage.SetAside.Count == 0 ? "" : $"{PageWords.Count(stage.SetAside.Count, "unit", "units")} set aside: "
            + string.Join(", ", stage.SetAside.Take(MostSetAside));
        return Html.Of($"""
            <progress max="1" value="{(units == 0 ? 0 : (double)stage.Done / units)}" aria-label="{stage.Stage}"></progress>
            {ReportNumbers.Count(stage.Done)} of {ReportNumbers.Count(units)}<small>{aside}</small>
            """);
    }

    private static string Word(WorkerState state) => state switch
    {
        WorkerState.Working => "running",
        WorkerState.Waiting => "waiting",
        WorkerState.Silent => "silent",
        _ => "gone",
    };
}
