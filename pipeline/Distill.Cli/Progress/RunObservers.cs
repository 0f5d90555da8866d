using Distill.Cli.Commands.Runs;
using Distill.Cli.Output;
using Distill.Pipeline.Planning;
using Distill.Pipeline.Runs;

namespace Distill.Cli.Progress;

/// <summary>Shows a run to people: a line for each stage that ended, and the progress of the one at work.</summary>
internal sealed class ConsoleRunObserver(ProgressDisplay display, TimeProvider clock) : IRunObserver
{
    private TimeLeft? left;

    // What most stages of a new run say; it is no news.
    private const string Usual = "not done yet";

    public void RunStarted(string name, string folder) => display.Line($"{name} in {folder}");

    public void Planned(RunPlan plan)
    {
        if (PlanOutput.Time(plan) is not { } time) return;
        left = new TimeLeft(plan, clock);
        display.Line($"  {time}");
        display.Aside = () => left.Now is { } now ? $"{Readable.Duration(now)} of the run" : "";
    }

    public void StageStarted(string stage, string reason)
    {
        left?.Begin(stage);
        if (display is LiveProgress && reason != Usual) display.Line($"› {stage,-12} {reason}"); // whole, and there to stay
        display.Begin(stage, reason);
    }

    public void Progress(string stage, StageProgress progress)
    {
        left?.See(progress);
        display.Report(progress);
    }

    public void Metric(string stage, int step, IReadOnlyDictionary<string, double> values)
    {
        // metrics.jsonl has them all; the progress line shows what is worth a glance.
    }

    public void StageFinished(string stage, TimeSpan elapsed, string summary)
    {
        left?.End(elapsed);
        display.End();
        display.Line($"✓ {stage,-12} {Readable.Duration(elapsed),8}  {summary}");
    }

    public void StageCached(string stage, string reason, string summary)
    {
        left?.Skip(stage);
        display.Line($"= {stage,-12} {reason,8}  {summary}");
    }

    public void Warning(string message) => display.Line($"! {message}");

    public void Note(string message) => display.Line($"  {message}");
}

/// <summary>Shows nothing: somebody else tells of the run.</summary>
internal sealed class NoObserver : IRunObserver
{
    public static NoObserver Instance { get; } = new();

    public void RunStarted(string name, string folder)
    {
    }

    public void StageStarted(string stage, string reason)
    {
    }

    public void Progress(string stage, StageProgress progress)
    {
    }

    public void Metric(string stage, int step, IReadOnlyDictionary<string, double> values)
    {
    }

    public void StageFinished(string stage, TimeSpan elapsed, string summary)
    {
    }

    public void StageCached(string stage, string reason, string summary)
    {
    }

    public void Warning(string message)
    {
    }
}

/// <summary>
/// Shows a run to machines: one JSON object a line, <c>event</c> first. Progress comes at most once a second. A run goes on when nobody
/// can be told of it any more; that something is missing is said at its end.
/// </summary>
internal sealed class JsonRunObserver(ResultWriter results, TimeProvider clock) : IRunObserver
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private long lastProgress = clock.GetTimestamp();
    private OutputLostException? lost;
    private TimeLeft? left;

    public void RunStarted(string name, string folder) => Say(new { @event = "run_started", name, folder });

    public void Planned(RunPlan plan)
    {
        left = new TimeLeft(plan, clock);
        Say(new
        {
            @event = "planned", plan.Seconds, plan.Basis, plan.PromptTokens, plan.Tokens, plan.DiskBytes, plan.MemoryBytes, plan.Cost,
            stages = plan.Stages.Select(stage => new { stage.Name, stage.Decision, stage.Rows, stage.Tokens, stage.Seconds, stage.Basis }),
        });
    }

    public void StageStarted(string stage, string reason)
    {
        left?.Begin(stage);
        Say(new { @event = "stage_started", stage, reason });
    }

    public void Progress(string stage, StageProgress progress)
    {
        left?.See(progress);
        if (clock.GetElapsedTime(lastProgress) < Interval) return;
        lastProgress = clock.GetTimestamp();
        Say(new
        {
            @event = "progress", stage, progress.Done, progress.Total, progress.Unit, progress.Detail, progress.Rate, progress.RateUnit,
            secondsLeft = left?.Now is { } now ? Math.Round(now.TotalSeconds) : (double?)null,
        });
    }

    public void Metric(string stage, int step, IReadOnlyDictionary<string, double> values) =>
        Say(new { @event = "metric", stage, step, values });

    public void StageFinished(string stage, TimeSpan elapsed, string summary)
    {
        left?.End(elapsed);
        Say(new { @event = "stage_finished", stage, seconds = Math.Round(elapsed.TotalSeconds, 3), summary });
    }

    public void StageCached(string stage, string reason, string summary)
    {
        left?.Skip(stage);
        Say(new { @event = "stage_cached", stage, reason, summary });
    }

    public void Warning(string message) => Say(new { @event = "warning", message });

    public void Note(string message) => Say(new { @event = "note", message });

    /// <summary>The last object.</summary>
    /// <exception cref="OutputLostException">It, or one before it, could not be written.</exception>
    public void Finish(object finished)
    {
        Say(finished);
        if (lost is not null) throw lost;
    }

    private void Say(object happening)
    {
        if (lost is not null) return;
        try
        {
            results.Json(happening);
        }
        catch (OutputLostException fault)
        {
            lost = fault;
        }
    }
}
