using System.Diagnostics;
using Distill.Data.Telemetry;
using Distill.Pipeline.Promotions;
using Distill.Pipeline.Runs;

namespace Distill.Pipeline.Watching;

/// <summary>
/// Tells whoever listens to <see cref="Instruments"/> of a run: a span for it, one for each stage at work, and how long they took. Hands
/// everything on to another observer. One run; calls as <see cref="IRunObserver"/> says.
/// </summary>
internal sealed class RunTelemetry : IRunObserver
{
    private readonly IRunObserver inner;
    private readonly TimeProvider clock;
    private readonly Activity? run;
    private readonly long began;

    private Activity? stage;
    private string? stageName;
    private long stageBegan;

    private RunTelemetry(string name, IRunObserver inner, TimeProvider clock)
    {
        (this.inner, this.clock, began) = (inner, clock, clock.GetTimestamp());
        run = Instruments.Spans.StartActivity(Instruments.Span.Run, ActivityKind.Internal, Parent());
        run?.SetTag(Instruments.Attribute.Run, name);
    }

    /// <summary>Does a run under observation.</summary>
    /// <param name="name">Of the run.</param>
    /// <param name="work">Is told whom to tell.</param>
    public static RunResult Watch(string name, IRunObserver observer, TimeProvider clock, Func<IRunObserver, RunResult> work)
    {
        var telemetry = new RunTelemetry(name, observer, clock);
        try
        {
            var result = work(telemetry);
            telemetry.End(OutcomeOf(result), null);
            return result;
        }
        catch (Exception fault)
        {
            telemetry.End(OutcomeOf(fault), fault);
            throw;
        }
    }

    public void RunStarted(string name, string folder) => inner.RunStarted(name, folder);

    public void Planned(RunPlan plan) => inner.Planned(plan);

    public void StageStarted(string stage, string reason)
    {
        (stageName, stageBegan) = (stage, clock.GetTimestamp());
        this.stage = Instruments.Spans.StartActivity(Instruments.Span.Stage, ActivityKind.Internal, run?.Context ?? default);
        this.stage?.SetTag(Instruments.Attribute.Stage, stage);
        inner.StageStarted(stage, reason);
    }

    public void Progress(string stage, StageProgress progress)
    {
        if (progress is { Rate: > 0, RateUnit: "tokens/s" } && Instruments.Throughput.Enabled)
            Instruments.Throughput.Record(progress.Rate, Of(stage));
        inner.Progress(stage, progress);
    }

    public void Metric(string stage, int step, IReadOnlyDictionary<string, double> values)
    {
        if (Instruments.Loss.Enabled && values.TryGetValue("loss", out double loss)) Instruments.Loss.Record(loss, Of(stage));
        if (Instruments.Reward.Enabled && values.TryGetValue("reward", out double reward)) Instruments.Reward.Record(reward, Of(stage));
        if (Instruments.TrainingTokens.Enabled && values.TryGetValue("tokens", out double tokens))
            Instruments.TrainingTokens.Add((long)tokens, Of(stage));
        inner.Metric(stage, step, values);
    }

    public void StageFinished(string stage, TimeSpan elapsed, string summary)
    {
        EndStage(Instruments.Outcome.Finished, null);
        inner.StageFinished(stage, elapsed, summary);
    }

    public void StageCached(string stage, string reason, string summary) => inner.StageCached(stage, reason, summary);

    public void Warning(string message) => inner.Warning(message);

    public void Note(string message) => inner.Note(message);

    private static KeyValuePair<string, object?> Of(string stage) => new(Instruments.Attribute.Stage, stage);

    // Within a process that has a span already, that is the parent; a process that another one started is told by its environment.
    private static ActivityContext Parent() => Activity.Current is null
        && Environment.GetEnvironmentVariable(Instruments.ParentVariable) is { } text
        && ActivityContext.TryParse(text, null, isRemote: true, out var parent) ? parent : default;

    private static string OutcomeOf(RunResult result) =>
        result.EndedEarly is not null ? Instruments.Outcome.Early
        : result.Report?.Promotion?.Outcome == PromotionOutcome.Refused ? Instruments.Outcome.Refused : Instruments.Outcome.Finished;

    private static string OutcomeOf(Exception fault) => fault switch
    {
        GateFailedException => Instruments.Outcome.Refused,
        OperationCanceledException => Instruments.Outcome.Stopped,
        _ => Instruments.Outcome.Failed,
    };

    private void EndStage(string outcome, Exception? fault)
    {
        if (stageName is not { } name) return;
        stageName = null;
        if (Instruments.StageDuration.Enabled)
            Instruments.StageDuration.Record(
                clock.GetElapsedTime(stageBegan).TotalSeconds, Of(name), new(Instruments.Attribute.Outcome, outcome));
        Close(stage, outcome, fault);
        stage = null;
    }

    private void End(string outcome, Exception? fault)
    {
        EndStage(outcome, fault);
        if (Instruments.RunDuration.Enabled)
            Instruments.RunDuration.Record(
                clock.GetElapsedTime(began).TotalSeconds, new KeyValuePair<string, object?>(Instruments.Attribute.Outcome, outcome));
        Close(run, outcome, fault);
    }

    // The type of a fault, and never its message: that may name files and quote what others said.
    private static void Close(Activity? span, string outcome, Exception? fault)
    {
        if (span is null) return;
        span.SetTag(Instruments.Attribute.Outcome, outcome);
        if (fault is not null && outcome != Instruments.Outcome.Stopped)
        {
            span.SetTag(Instruments.Attribute.Error, fault.GetType().Name);
            span.SetStatus(ActivityStatusCode.Error);
        }

        span.Dispose();
    }
}

/// <summary>A unit of a divided stage while it is made.</summary>
internal readonly struct UnitTelemetry : IDisposable
{
    private readonly Activity? span;
    private readonly string stage;
    private readonly TimeProvider clock;
    private readonly long began;

    private UnitTelemetry(Activity? span, string stage, TimeProvider clock)
    {
        (this.span, this.stage, this.clock) = (span, stage, clock);
        began = clock.GetTimestamp();
    }

    /// <param name="attempt">Of this unit by whoever hands it out, from 1; null where nobody counts.</param>
    public static UnitTelemetry Begin(string stage, int unit, TimeProvider clock, int? attempt = null)
    {
        var span = Instruments.Spans.StartActivity(Instruments.Span.Unit);
        span?.SetTag(Instruments.Attribute.Stage, stage);
        span?.SetTag(Instruments.Attribute.Unit, unit);
        if (attempt is not null) span?.SetTag(Instruments.Attribute.Attempt, attempt);
        return new(span, stage, clock);
    }

    public void Dispose()
    {
        if (Instruments.UnitDuration.Enabled)
            Instruments.UnitDuration.Record(
                clock.GetElapsedTime(began).TotalSeconds, new KeyValuePair<string, object?>(Instruments.Attribute.Stage, stage));
        span?.Dispose();
    }
}
