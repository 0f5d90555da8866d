using Distill.Cli.Output;
using Distill.Pipeline.Runs;

namespace Distill.Cli.Progress;

/// <summary>Shows a run to machines: one JSON object a line, <c>event</c> first. Progress comes at most once a second.</summary>
internal sealed class JsonRunObserver(ResultWriter results, TimeProvider clock) : IRunObserver
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private long lastProgress = clock.GetTimestamp();

    public void RunStarted(string name, string folder) => results.Json(new { @event = "run_started", name, folder });

    public void StageStarted(string stage, string reason) => results.Json(new { @event = "stage_started", stage, reason });

    public void Progress(string stage, StageProgress progress)
    {
        if (clock.GetElapsedTime(lastProgress) < Interval) return;
        lastProgress = clock.GetTimestamp();
        results.Json(new { @event = "progress", stage, progress.Done, progress.Total, progress.Unit, progress.Detail, progress.Rate,
            progress.RateUnit });
    }

    public void Metric(string stage, int step, IReadOnlyDictionary<string, double> values) =>
        results.Json(new { @event = "metric", stage, step, values });

    public void StageFinished(string stage, TimeSpan elapsed, string summary) =>
        results.Json(new { @event = "stage_finished", stage, seconds = Math.Round(elapsed.TotalSeconds, 3), summary });

    public void StageCached(string stage, string reason, string summary) =>
        results.Json(new { @event = "stage_cached", stage, reason, summary });

    public void Warning(string message) => results.Json(new { @event = "warning", message });
}
