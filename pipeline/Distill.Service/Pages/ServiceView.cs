using System.Collections.Concurrent;
using Distill.Pipeline.Runs;
using Distill.Service.Hosting;
using Distill.Service.Occurrences;
using Distill.Service.Running;
using Distill.Service.Schedules;

namespace Distill.Service.Pages;

/// <summary>A schedule as it is at a moment.</summary>
/// <param name="State"><c>paused</c>, <c>disabled</c>, <c>running</c>, <c>waiting</c> or <c>idle</c>.</param>
/// <param name="Next">When it is due next; null when it never is, or not by itself.</param>
/// <param name="Recent">Its newest occurrences, newest first.</param>
internal sealed record ScheduleStatus(ScheduleSection Schedule, string State, DateTimeOffset? Next, IReadOnlyList<Occurrence> Recent)
{
    private const int MostRecent = 5;

    public Occurrence? Last => Recent.FirstOrDefault(occurrence => !occurrence.IsOpen);

    public static ScheduleStatus Of(ScheduleSection schedule, OccurrenceStore store, DateTimeOffset now)
    {
        var known = store.List(schedule.Name);
        bool isPaused = store.IsPaused(schedule.Name);
        string state = known.Any(one => one.State == OccurrenceState.Running) ? "running"
            : known.Any(one => one.IsOpen) ? "waiting" : isPaused ? "paused" : !schedule.Enabled ? "disabled" : "idle";
        var next = isPaused || !schedule.Enabled ? null : schedule.Times().Next(now);
        return new(schedule, state, next, [.. known.Reverse().Take(MostRecent)]);
    }
}

/// <summary>A run as the page shows it.</summary>
/// <param name="State"><c>running</c>, <c>finished</c>, <c>failed</c> or <c>stopped</c>.</param>
/// <param name="Status">How far it is; null where another process is at work, or none.</param>
internal sealed record ShownRun(
    string Name, string State, string? Reason, DateTimeOffset Changed, RunStatus? Status, bool HasReport, Occurrence? Occurrence);

/// <summary>What there is to see, read from the files that runs and schedules leave. Thread-safe.</summary>
internal sealed class ServiceView(
    OccurrenceStore store, ScheduleBook book, LiveRuns live, ServiceHealth health, SecretText secrets, TimeProvider clock)
{
    private const int MostRuns = 50;

    private readonly ConcurrentDictionary<string, (DateTime Written, RunState? State)> remembered = new(StringComparer.Ordinal);

    public DateTimeOffset Now => clock.GetUtcNow();

    public IReadOnlyList<string> Troubles => [.. health.Reasons().Select(secrets.Without)];

    public IReadOnlyList<ScheduleStatus> Schedules()
    {
        var now = clock.GetUtcNow();
        return [.. book.Document.Schedules.Select(schedule => ScheduleStatus.Of(schedule, store, now))];
    }

    /// <summary>The newest, newest first.</summary>
    /// <param name="schedules">Whose occurrences the runs may be.</param>
    public IReadOnlyList<ShownRun> Runs(IReadOnlyList<ScheduleStatus> schedules)
    {
        if (!Directory.Exists(store.RunsFolder)) return [];
        var occurrences = schedules.SelectMany(schedule => schedule.Recent).ToDictionary(occurrence => occurrence.Run);
        return
        [
            .. Directory.EnumerateDirectories(store.RunsFolder).Where(path => Path.GetFileName(path)[0] != '.')
                .Select(path => (Name: Path.GetFileName(path), State: StateOf(path))).Where(run => run.State is not null)
                .OrderByDescending(run => run.State!.Changed).Take(MostRuns)
                .Select(run => Show(run.Name, run.State!, occurrences.GetValueOrDefault(run.Name))),
        ];
    }

    private ShownRun Show(string name, RunState state, Occurrence? occurrence)
    {
        var folder = new RunFolder(store.RunsFolder, name);
        string word = folder.IsLocked() ? "running" : state.Progress switch
        {
            RunProgress.Finished => "finished",
            RunProgress.Failed => "failed",
            _ => "stopped",
        };
        string? reason = word == "running" ? null : state.Progress == RunProgress.Running ? "its process ended" : state.Reason;
        if (reason is not null) reason = secrets.Without(reason); // a run knows nothing of what is a secret here
        return new(name, word, reason, state.Changed, live.StatusOf(name), File.Exists(folder.ReportPath), occurrence);
    }

    private RunState? StateOf(string folder)
    {
        var file = new FileInfo(Path.Combine(folder, RunState.FileName));
        if (!file.Exists) return null;
        if (remembered.TryGetValue(folder, out var known) && known.Written == file.LastWriteTimeUtc) return known.State;
        var state = RunState.TryRead(folder);
        remembered[folder] = (file.LastWriteTimeUtc, state);
        return state;
    }
}
