using Distill.Pipeline.Runs;

namespace Distill.Pipeline.Watching;

/// <summary>Writes what happens in a run to a log, and hands it on. Progress comes at most every half minute.</summary>
internal sealed class LoggedRun(StructuredLog log, IRunObserver inner, TimeProvider clock) : IRunObserver
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    private string run = "";
    private long lastProgress;

    public void RunStarted(string name, string folder)
    {
        run = name;
        Write("run_started", "", []);
        inner.RunStarted(name, folder);
    }

    public void Planned(RunPlan plan) => inner.Planned(plan);

    public void StageStarted(string stage, string reason)
    {
        lastProgress = clock.GetTimestamp();
        Write("stage_started", reason, [new("stage", stage)]);
        inner.StageStarted(stage, reason);
    }

    public void Progress(string stage, StageProgress progress)
    {
        if (clock.GetElapsedTime(lastProgress) >= Interval)
        {
            lastProgress = clock.GetTimestamp();
            Write("progress", progress.Detail,
            [
                new("stage", stage), new("done", progress.Done), new("total", progress.Total), new("unit", progress.Unit),
                new("rate", progress.Rate > 0 ? Math.Round(progress.Rate, 1) : null),
            ]);
        }

        inner.Progress(stage, progress);
    }

    public void Metric(string stage, int step, IReadOnlyDictionary<string, double> values) => inner.Metric(stage, step, values);

    public void StageFinished(string stage, TimeSpan elapsed, string summary)
    {
        Write("stage_finished", summary, [new("stage", stage), new("seconds", Math.Round(elapsed.TotalSeconds, 3))]);
        inner.StageFinished(stage, elapsed, summary);
    }

    public void StageCached(string stage, string reason, string summary)
    {
        Write("stage_cached", summary, [new("stage", stage), new("reason", reason)]);
        inner.StageCached(stage, reason, summary);
    }

    public void Warning(string message)
    {
        log.Write(LogLevel.Warning, "warning", message, new LogField("run", run));
        inner.Warning(message);
    }

    public void Note(string message)
    {
        Write("note", message, []);
        inner.Note(message);
    }

    /// <summary>The last line.</summary>
    /// <param name="fault">Why it ended; null when it reached its goal.</param>
    /// <param name="refusal">Why a gate refused what it made; null when none did.</param>
    public void Ended(Exception? fault, string? refusal = null)
    {
        if (refusal is not null) log.Write(LogLevel.Warning, "run_refused", refusal, new LogField("run", run));
        else if (fault is null) Write("run_finished", "", []);
        else if (fault is OperationCanceledException) Write("run_stopped", "stopped by its user", []);
        else log.Write(LogLevel.Error, "run_failed", fault.Message, new("run", run), new("error", fault.GetType().Name));
    }

    private void Write(string name, string message, ReadOnlySpan<LogField> fields) =>
        log.Write(LogLevel.Info, name, message, [new("run", run), .. fields]);
}
