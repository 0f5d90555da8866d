using Distill.Pipeline.Planning;

namespace Distill.Pipeline.Runs.Live;

/// <summary>
/// Keeps <c>progress.json</c> and <c>run.log</c> of a run while it is at work, and hands on what it is told. A run never fails for want of
/// them: what cannot be written is left out. Thread-safe; the creator disposes it.
/// </summary>
internal sealed class ProgressRecorder : IRunObserver, IDisposable
{
    public const string LogName = "run.log";

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1), Least = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private readonly IRunObserver inner;
    private readonly TimeProvider clock;
    private readonly string folder;
    private readonly DateTimeOffset started;
    private readonly RunLog? log;
    private readonly List<StageProgressEntry> stages;
    private long lastWrite, stageStart;
    private double doneBefore = -1;
    private TimeLeft? left;

    /// <param name="folder">Of the run, which is held.</param>
    /// <param name="stages">Names of all that it needs, in their order.</param>
    public ProgressRecorder(string folder, IEnumerable<string> stages, IRunObserver inner, TimeProvider clock)
    {
        (this.folder, this.inner, this.clock) = (folder, inner, clock);
        this.stages = [.. stages.Select(name => new StageProgressEntry(name, StageStanding.Waiting))];
        started = clock.GetUtcNow();
        log = TryOpenLog();
        Write();
    }

    public void Planned(RunPlan plan)
    {
        lock (gate)
        {
            left = new TimeLeft(plan, clock);
            Write();
        }

        inner.Planned(plan);
    }

    public void RunStarted(string name, string folder)
    {
        Say($"run '{name}' begins, process {Environment.ProcessId}");
        inner.RunStarted(name, folder);
    }

    public void StageStarted(string stage, string reason)
    {
        lock (gate)
        {
            doneBefore = -1;
            left?.Begin(stage);
            Set(stage, new StageProgressEntry(stage, StageStanding.Running) { Reason = reason, Started = clock.GetUtcNow() });
        }

        Say($"{stage}: {reason}");
        inner.StageStarted(stage, reason);
    }

    public void Progress(string stage, StageProgress progress)
    {
        lock (gate)
        {
            if (doneBefore < 0) (doneBefore, stageStart) = (progress.Done, clock.GetTimestamp());
            left?.See(progress);
            if (clock.GetElapsedTime(lastWrite) >= Interval && Find(stage) is { } entry)
                Set(stage, entry with { Progress = Finite(progress), SecondsLeft = Left(progress)?.TotalSeconds });
        }

        inner.Progress(stage, progress);
    }

    public void Metric(string stage, int step, IReadOnlyDictionary<string, double> values) => inner.Metric(stage, step, values);

    public void StageFinished(string stage, TimeSpan elapsed, string summary)
    {
        lock (gate)
        {
            left?.End(elapsed);
            if (Find(stage) is { } entry)
                Set(stage, entry with
                {
                    Standing = StageStanding.Done, Summary = summary, Seconds = Math.Round(elapsed.TotalSeconds, 3), SecondsLeft = null,
                });
        }

        Say($"{stage} done: {summary}");
        inner.StageFinished(stage, elapsed, summary);
    }

    public void StageCached(string stage, string reason, string summary)
    {
        lock (gate)
        {
            left?.Skip(stage);
            Set(stage, new StageProgressEntry(stage, StageStanding.Cached) { Reason = reason, Summary = summary });
        }

        Say($"{stage} {reason}: {summary}");
        inner.StageCached(stage, reason, summary);
    }

    public void Warning(string message)
    {
        Say($"! {message}");
        inner.Warning(message);
    }

    public void Note(string message)
    {
        Say(message);
        inner.Note(message);
    }

    /// <summary>Notes how the run ended.</summary>
    public void Ended(string how) => Say($"ended: {how}");

    public void Dispose()
    {
        lock (gate) Write();
        log?.Dispose();
    }

    // What an earlier process did says nothing about the speed of this one.
    private TimeSpan? Left(StageProgress progress)
    {
        var elapsed = clock.GetElapsedTime(stageStart);
        if (!(progress.Done > doneBefore) || !(progress.Total > progress.Done) || elapsed < Least) return null;
        double share = (progress.Total - progress.Done) / (progress.Done - doneBefore);
        return share * elapsed.TotalDays < 1000 ? elapsed * share : null;
    }

    // JSON has no infinity, and a rate may be one.
    private static StageProgress Finite(StageProgress progress) =>
        double.IsFinite(progress.Rate) ? progress : progress with { Rate = 0 };

    private StageProgressEntry? Find(string stage) => stages.Find(entry => entry.Name == stage);

    // A stage that nobody announced (a promotion evaluates the model in place) follows the others.
    private void Set(string stage, StageProgressEntry entry)
    {
        int place = stages.FindIndex(known => known.Name == stage);
        if (place < 0) stages.Add(entry);
        else stages[place] = entry;
        Write();
    }

    private void Write()
    {
        lastWrite = clock.GetTimestamp();
        try
        {
            new ProgressFile(ProgressFile.CurrentFormat, started, clock.GetUtcNow(), stages) { SecondsLeft = left?.Now?.TotalSeconds }
                .Write(folder);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // Shown nowhere but there: the next one is a second away.
        }
    }

    private RunLog? TryOpenLog()
    {
        try
        {
            return new RunLog(Path.Combine(folder, LogName), clock);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private void Say(string line)
    {
        lock (gate) log?.Line(line);
    }
}
