using System.Diagnostics.Metrics;
using Distill.Data.Telemetry;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Runs.Live;
using Distill.Pipeline.Tracking;
using Distill.Service.Fleet;
using Distill.Service.Hosting;
using Distill.Service.Occurrences;
using Distill.Service.Running;
using Distill.Service.Schedules;

namespace Distill.Service.Watching;

/// <summary>
/// The figures of the service, from the files that runs and schedules leave: what other processes do is in them too. Read when somebody
/// asks, at most once a second. Thread-safe; dispose it.
/// </summary>
internal sealed class ServiceMetrics : IDisposable
{
    private const int MostRemembered = 50_000;

    private static readonly TimeSpan Age = TimeSpan.FromSeconds(1);

    private static readonly OccurrenceState[] Ends =
    [
        OccurrenceState.Finished, OccurrenceState.Failed, OccurrenceState.Refused, OccurrenceState.Skipped, OccurrenceState.Cancelled,
    ];

    private readonly OccurrenceStore store;
    private readonly ScheduleBook book;
    private readonly ServiceHealth health;
    private readonly ServiceEvents events;
    private readonly TimeProvider clock;
    private readonly Meter meter = new(Instruments.ServiceScopeName);
    private readonly Lock gate = new();
    private readonly FileMemory<RunState> states = new(MostRemembered, path => RunState.TryRead(Path.GetDirectoryName(path)!));

    private Dictionary<MetricDefinition, List<MetricSample>> latest = [];
    private long collected = -1;

    public ServiceMetrics(
        OccurrenceStore store, ScheduleBook book, ServiceHealth health, ServiceEvents events, TimeProvider clock)
    {
        (this.store, this.book) = (store, book);
        (this.health, this.events, this.clock) = (health, events, clock);
        foreach (var metric in Instruments.All.Where(metric => metric.Source == MetricSource.Service)) Observe(metric);
    }

    /// <summary>Every metric of the service, those without a value too.</summary>
    public IReadOnlyList<(MetricDefinition Metric, IReadOnlyList<MetricSample> Samples)> Collect()
    {
        var now = Latest();
        return [.. Instruments.All.Where(metric => metric.Source == MetricSource.Service)
            .Select(metric => (metric, (IReadOnlyList<MetricSample>)now.GetValueOrDefault(metric, [])))];
    }

    public void Dispose() => meter.Dispose();

    private void Observe(MetricDefinition metric)
    {
        if (metric.Kind == MetricKind.Counter) meter.CreateObservableCounter(metric.Name, Values, metric.Unit, metric.Meaning);
        else meter.CreateObservableGauge(metric.Name, Values, metric.Unit, metric.Meaning);

        IEnumerable<Measurement<double>> Values() => Latest().GetValueOrDefault(metric, []).Select(sample => new Measurement<double>(
            sample.Value, metric.Attributes.Zip(sample.Labels, (name, value) => KeyValuePair.Create(name, (object?)value))));
    }

    private Dictionary<MetricDefinition, List<MetricSample>> Latest()
    {
        lock (gate)
        {
            if (collected >= 0 && clock.GetElapsedTime(collected) < Age) return latest;
            latest = Read();
            collected = clock.GetTimestamp();
            return latest;
        }
    }

    private Dictionary<MetricDefinition, List<MetricSample>> Read()
    {
        var found = new Dictionary<MetricDefinition, List<MetricSample>>();
        foreach (var schedule in book.Document.Schedules) OfSchedule(schedule, Add);
        var waiting = book.Document.Schedules.SelectMany(Known)
            .Where(occurrence => occurrence.State == OccurrenceState.Waiting).CountBy(occurrence => occurrence.Resource);
        foreach (string resource in book.Document.Schedules.Select(schedule => schedule.Resource).Distinct())
            Add(Instruments.Queued, waiting.FirstOrDefault(count => count.Key == resource).Value, resource);
        OfRuns(Add);
        OfFleet(Add);
        if (health.FreeDisk is { } free) Add(Instruments.DiskFree, free);
        Add(Instruments.Ready, health.IsReady ? 1 : 0);
        Add(Instruments.Faults, health.Reasons().Count);
        found[Instruments.OccurrenceEnds] = [.. events.Ends];
        found[Instruments.Refusals] = [.. events.Refusals];
        return found;

        void Add(MetricDefinition metric, double value, params string[] labels)
        {
            if (!found.TryGetValue(metric, out var samples)) found[metric] = samples = [];
            samples.Add(new(value, labels));
        }
    }

    private void OfSchedule(ScheduleSection schedule, Action<MetricDefinition, double, string[]> add)
    {
        string name = schedule.Name;
        bool isPaused = store.IsPaused(name) || !schedule.Enabled;
        add(Instruments.SchedulePaused, isPaused ? 1 : 0, [name]);
        if (!isPaused && schedule.Times().Next(clock.GetUtcNow()) is { } next)
            add(Instruments.ScheduleNext, next.ToUnixTimeSeconds(), [name]);
        if (Known(schedule).LastOrDefault(HasRun) is not { } last) return;
        var ended = (last.Attempts is [.., var attempt] ? attempt.Ended : null) ?? last.Closed ?? last.Decided;
        add(Instruments.ScheduleLast, ended.ToUnixTimeSeconds(), [name]);
        add(Instruments.ScheduleDuration, last.Attempts.Sum(Seconds), [name]);
        foreach (var state in Ends)
            add(Instruments.ScheduleOutcome, last.State == state ? 1 : 0, [name, ServiceEvents.WordOf(state)]);
    }

    // What was skipped or cancelled before it began is no run, and must not hide that the last one failed.
    private static bool HasRun(Occurrence occurrence) => !occurrence.IsOpen && (occurrence.Attempts.Count > 0
        || occurrence.State is OccurrenceState.Finished or OccurrenceState.Failed or OccurrenceState.Refused);

    // One that cannot be read is among the faults; the figures of the others are given.
    private IReadOnlyList<Occurrence> Known(ScheduleSection schedule)
    {
        try
        {
            return store.List(schedule.Name);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static double Seconds(Attempt attempt) => attempt.Ended is { } ended ? (ended - attempt.Started).TotalSeconds : 0;

    private void OfRuns(Action<MetricDefinition, double, string[]> add)
    {
        var counts = new SortedDictionary<string, int>(RunWord.All.ToDictionary(word => word, _ => 0), StringComparer.Ordinal);
        if (Directory.Exists(store.RunsFolder))
        {
            foreach (string path in Directory.EnumerateDirectories(store.RunsFolder).Where(path => Path.GetFileName(path)[0] != '.'))
            {
                if (states.Of(Path.Combine(path, RunState.FileName)) is not { } state) continue;
                var folder = new RunFolder(store.RunsFolder, Path.GetFileName(path));
                string word = RunWord.Of(state, folder);
                counts[word]++;
                if (word == RunWord.Running) OfRun(folder, add);
            }
        }

        foreach (var (state, count) in counts) add(Instruments.Runs, count, [state]);
    }

    private void OfFleet(Action<MetricDefinition, double, string[]> add)
    {
        var fleet = FleetStatus.Read(store.RunsFolder, clock);
        foreach (var state in Enum.GetValues<WorkerState>())
            add(Instruments.Workers, fleet.Workers.Count(worker => worker.State == state), [state.ToString().ToLowerInvariant()]);
        foreach (var run in fleet.Runs)
        {
            foreach (var stage in run.Stages)
            {
                if (stage.Units is not { } units) continue;
                foreach (var (state, count) in ((string, int)[])
                    [("done", stage.Done - stage.SetAside.Count), ("open", units - stage.Done), ("set_aside", stage.SetAside.Count)])
                    add(Instruments.Units, Math.Max(0, count), [run.Run, stage.Stage, state]);
            }
        }
    }

    private static void OfRun(RunFolder folder, Action<MetricDefinition, double, string[]> add)
    {
        if (ProgressFile.TryRead(folder.Path)?.Current() is { Progress: { Total: > 0 } progress } stage)
            add(Instruments.Progress, Math.Clamp(progress.Done / progress.Total, 0, 1), [folder.Name, stage.Name]);
        if (MetricTail.Last(folder.MetricsPath) is not { } point) return;
        string[] labels = [folder.Name, point.Stage];
        if (point.Values.TryGetValue("loss", out double loss)) add(Instruments.LiveLoss, loss, labels);
        if (point.Values.TryGetValue("reward", out double reward)) add(Instruments.LiveReward, reward, labels);
        if (point.Values.TryGetValue("tokens_per_second", out double rate)) add(Instruments.LiveThroughput, rate, labels);
    }
}
