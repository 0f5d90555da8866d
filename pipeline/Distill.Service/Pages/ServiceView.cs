using Distill.Pipeline.Runs;
using Distill.Pipeline.Runs.Live;
using Distill.Service.Fleet;
using Distill.Service.Hosting;
using Distill.Service.Occurrences;
using Distill.Service.Running;
using Distill.Service.Schedules;

namespace Distill.Service.Pages;

/// <summary>A schedule as it is at a moment.</summary>
/// <param name="State">
/// <c>paused</c>, <c>disabled</c>, <c>running</c>, <c>waiting</c>, <c>idle</c>, or <c>unreadable</c>: what is known of it cannot be read,
/// which the service's health says too.
/// </param>
/// <param name="Next">When it is due next; null when it never is, or not by itself.</param>
/// <param name="All">Its occurrences, newest first.</param>
internal sealed record ScheduleStatus(ScheduleSection Schedule, string State, DateTimeOffset? Next, IReadOnlyList<Occurrence> All)
{
    private const int MostRecent = 5;

    public IEnumerable<Occurrence> Recent => All.Take(MostRecent);

    public Occurrence? Last => Recent.FirstOrDefault(occurrence => !occurrence.IsOpen);

    public static ScheduleStatus Of(ScheduleSection schedule, OccurrenceStore store, DateTimeOffset now)
    {
        try
        {
            return Read(schedule, store, now);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return new(schedule, "unreadable", null, []); // the others are shown all the same
        }
    }

    private static ScheduleStatus Read(ScheduleSection schedule, OccurrenceStore store, DateTimeOffset now)
    {
        var known = store.List(schedule.Name);
        bool isPaused = store.IsPaused(schedule.Name);
        string state = known.Any(one => one.State == OccurrenceState.Running) ? "running"
            : known.Any(one => one.IsOpen) ? "waiting" : isPaused ? "paused" : !schedule.Enabled ? "disabled" : "idle";
        var next = isPaused || !schedule.Enabled ? null : schedule.Times().Next(now);
        return new(schedule, state, next, [.. known.Reverse()]);
    }
}

/// <summary>A run as lists show it.</summary>
/// <param name="State"><c>running</c>, <c>finished</c>, <c>refused</c>, <c>failed</c> or <c>stopped</c>.</param>
/// <param name="Status">How far it is; null where it is not at work.</param>
internal sealed record ShownRun(
    string Name, string State, string? Reason, DateTimeOffset Changed, RunStatus? Status, bool HasReport, Occurrence? Occurrence);

/// <summary>Which runs a list shows.</summary>
/// <param name="Part">Of their names; null for all.</param>
/// <param name="State">Null for any.</param>
internal sealed record RunFilter(string? Part = null, string? State = null);

/// <summary>A page of a list.</summary>
/// <param name="Number">From 1.</param>
/// <param name="All">How many there are on all pages.</param>
internal sealed record Paged<T>(IReadOnlyList<T> Items, int Number, int Pages, int All)
{
    /// <param name="show">Of what is on the page only.</param>
    public static Paged<T> Of<TAny>(IReadOnlyList<TAny> all, int number, int perPage, Func<TAny, T> show)
    {
        int pages = Math.Max(1, (all.Count + perPage - 1) / perPage);
        number = Math.Clamp(number, 1, pages);
        return new([.. all.Skip((number - 1) * perPage).Take(perPage).Select(show)], number, pages, all.Count);
    }
}

/// <summary>What there is to see, read from the files that runs and schedules leave. Thread-safe.</summary>
internal sealed class ServiceView(
    OccurrenceStore store, ScheduleBook book, LiveRuns live, ServiceHealth health, SecretText secrets, TimeProvider clock)
{
    private const int MostRemembered = 50_000;

    private readonly FileMemory<RunState> states = new(MostRemembered, path => RunState.TryRead(Path.GetDirectoryName(path)!));

    public DateTimeOffset Now => clock.GetUtcNow();

    public TimeProvider Clock => clock;

    public string RunsFolder => store.RunsFolder;

    public OccurrenceStore Occurrences => store;

    /// <summary>Bytes left where the runs lie; null where that is not known.</summary>
    public long? FreeDisk => health.FreeDisk;

    /// <summary>What keeps the service from doing all of its work.</summary>
    public IReadOnlyList<string> Troubles => [.. health.Reasons().Select(secrets.Without)];

    public string Health => !health.IsReady ? "not ready" : Troubles.Count > 0 ? "degraded" : "ready";

    /// <summary>A run knows nothing of what is a secret here.</summary>
    public string Scrubbed(string text) => secrets.Without(text);

    public IReadOnlyList<ScheduleStatus> Schedules()
    {
        var now = clock.GetUtcNow();
        return [.. book.Document.Schedules.Select(schedule => ScheduleStatus.Of(schedule, store, now))];
    }

    public ScheduleStatus? Schedule(string name) =>
        book.Find(name) is { } schedule ? ScheduleStatus.Of(schedule, store, clock.GetUtcNow()) : null;

    /// <summary>Those at work first, then the newest.</summary>
    public Paged<ShownRun> Runs(RunFilter filter, int page, int perPage)
    {
        var all = States().Where(run => filter.Part is null || run.Name.Contains(filter.Part, StringComparison.OrdinalIgnoreCase))
            .Select(run => (run.Name, run.State, Word: WordOf(run.Name, run.State)))
            .Where(run => filter.State is null || run.Word == filter.State)
            .OrderBy(run => run.Word == RunWord.Running ? 0 : 1).ThenByDescending(run => run.State.Changed).ToList();
        return Paged<ShownRun>.Of(all, page, perPage, run => Show(run.Name, run.State, run.Word));
    }

    /// <summary>Names of all, the newest first.</summary>
    public IReadOnlyList<string> RunNames() => [.. States().OrderByDescending(run => run.State.Changed).Select(run => run.Name)];

    /// <summary>Null when there is no such run, or its folder is a link to elsewhere.</summary>
    public ShownRun? Run(string name) =>
        FolderOf(name) is not null && states.Of(StatePath(name)) is { } state ? Show(name, state, WordOf(name, state)) : null;

    /// <summary>Null when there is no such run, or its folder is a link to elsewhere.</summary>
    public RunFolder? FolderOf(string name)
    {
        if (!Pipeline.Recipes.RunName.IsValid(name)) return null;
        var folder = new DirectoryInfo(Path.Combine(store.RunsFolder, name));
        return folder is { Exists: true, LinkTarget: null } && states.Of(StatePath(name)) is not null
            ? new RunFolder(store.RunsFolder, name) : null;
    }

    /// <summary>What workers do of a run; null where they were not given it.</summary>
    public FleetRunStatus? WorkersOn(string run) => new RunFolder(store.RunsFolder, run).IsWithWorkers
        ? FleetStatus.Read(store.RunsFolder, clock).Runs.FirstOrDefault(order => order.Run == run) : null;

    private IEnumerable<(string Name, RunState State)> States()
    {
        var folder = new DirectoryInfo(store.RunsFolder);
        if (!folder.Exists) yield break;
        foreach (var run in folder.EnumerateDirectories())
        {
            if (run.Name[0] != '.' && run.LinkTarget is null && states.Of(Path.Combine(run.FullName, RunState.FileName)) is { } state)
                yield return (run.Name, state);
        }
    }

    private string StatePath(string name) => Path.Combine(store.RunsFolder, name, RunState.FileName);

    private string WordOf(string name, RunState state) => RunWord.Of(state, new RunFolder(store.RunsFolder, name));

    private ShownRun Show(string name, RunState state, string word)
    {
        var folder = new RunFolder(store.RunsFolder, name);
        bool isAtWork = word == RunWord.Running;
        string? reason = isAtWork ? null : state.Progress == RunProgress.Running ? "its process ended" : state.Reason;
        var status = isAtWork ? StatusOf(folder) : null;
        return new(name, word, reason is null ? null : Scrubbed(reason), state.Changed, status, File.Exists(folder.ReportPath),
            OccurrenceOf(name));
    }

    private RunStatus? StatusOf(RunFolder folder)
    {
        if (WorkersOn(folder.Name) is { } order) return OfWorkers(order);
        if (ProgressFile.TryRead(folder.Path) is not { } progress) return live.StatusOf(folder.Name);
        var status = RunStatus.Of(progress);
        return status with { Progress = Scrubbed(status.Progress) };
    }

    private static RunStatus OfWorkers(FleetRunStatus order)
    {
        if (order.Stages.FirstOrDefault(stage => stage.AtWork.Count > 0) is not { } stage) return new(null, 0, "with the workers", null);
        string workers = PageWords.Count(stage.AtWork.Count, "worker", "workers");
        return stage.Units is { } units and > 0
            ? new(stage.Stage, (double)stage.Done / units, $"{PageWords.Count(stage.Done, "unit", "units")} of {units} · {workers}", null)
            : new(stage.Stage, 0, workers, null);
    }

    // The name of a schedule's run ends with the time that it was due.
    private Occurrence? OccurrenceOf(string run)
    {
        int end = run.LastIndexOf('-');
        try
        {
            return end > 0 && Occurrence.TryParseName(run[(end + 1)..], out _) ? store.Find(run[..end], run[(end + 1)..]) : null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null; // the run is shown without it, and the service's health says why
        }
    }
}
