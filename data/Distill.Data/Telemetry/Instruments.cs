using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Distill.Data.Telemetry;

/// <summary>
/// Every name under which Distill is watched from outside: spans, metrics, attributes. Nothing of it holds prompts, answers, secrets or
/// paths. Where nobody listens, nothing is measured. The names <c>gen_ai.*</c> are those of OpenTelemetry's conventions, which are still
/// in development: a change there is a change here alone. Thread-safe.
/// </summary>
internal static class Instruments
{
    /// <summary>Of the spans and of the metrics of runs.</summary>
    public const string ScopeName = "Distill";

    /// <summary>Of the metrics of <c>distill serve</c>.</summary>
    public const string ServiceScopeName = "Distill.Service";

    /// <summary>Environment variable with the span that a process belongs to, as W3C Trace Context writes it.</summary>
    public const string ParentVariable = "TRACEPARENT";

    private static readonly double[] LongSeconds = [0.1, 1, 5, 15, 60, 300, 900, 3_600, 14_400, 43_200, 86_400];

    // The conventions' bounds, gone on with: reasoning takes minutes.
    private static readonly double[] CallSeconds =
        [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84, 327.68, 655.36];

    private static readonly double[] CallTokens = [1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576];

    public static ActivitySource Spans { get; } = new(ScopeName);

    private static Meter Meter { get; } = new(ScopeName);

    public static class Span
    {
        public const string Run = "run", Stage = "stage", Unit = "unit", Attempt = "attempt", Chat = "chat";
    }

    public static class Attribute
    {
        public const string Run = "distill.run", Stage = "distill.stage", Unit = "distill.unit", Attempt = "distill.attempt",
            Outcome = "distill.outcome", Reason = "distill.reason", Schedule = "distill.schedule", Resource = "distill.resource",
            State = "distill.state", Error = "error.type", Operation = "gen_ai.operation.name", Provider = "gen_ai.provider.name",
            Model = "gen_ai.request.model", TokenType = "gen_ai.token.type", InputTokens = "gen_ai.usage.input_tokens",
            OutputTokens = "gen_ai.usage.output_tokens", Server = "server.address", ServerPort = "server.port";
    }

    /// <summary>What <see cref="Attribute.Outcome"/> says.</summary>
    public static class Outcome
    {
        public const string Finished = "finished", Failed = "failed", Stopped = "stopped", Refused = "refused", Early = "ended_early";
    }

    /// <summary>All metrics, in the order of the documentation.</summary>
    public static IReadOnlyList<MetricDefinition> All =>
    [
        RunDurationDefinition, StageDurationDefinition, UnitDurationDefinition, TrainingTokensDefinition, ThroughputDefinition,
        LossDefinition, RewardDefinition, CallDurationDefinition, CallTokensDefinition, CallRetriesDefinition, Queued, Runs, Progress,
        LiveThroughput, LiveLoss, LiveReward, ScheduleNext, ScheduleLast, ScheduleDuration, ScheduleOutcome, SchedulePaused, OccurrenceEnds,
        Workers, Units, DiskFree, Ready, Faults, Refusals,
    ];

    private static readonly MetricDefinition RunDurationDefinition = new(
        "distill.run.duration", MetricKind.Histogram, "s", "how long a run was at work, by how it ended", MetricSource.Run,
        Attribute.Outcome) { Bounds = LongSeconds };

    private static readonly MetricDefinition StageDurationDefinition = new(
        "distill.stage.duration", MetricKind.Histogram, "s", "how long a stage was at work; what was taken from the store is not counted",
        MetricSource.Run, Attribute.Stage, Attribute.Outcome) { Bounds = LongSeconds };

    private static readonly MetricDefinition UnitDurationDefinition = new(
        "distill.unit.duration", MetricKind.Histogram, "s", "how long a unit of a divided stage took", MetricSource.Run, Attribute.Stage)
        { Bounds = LongSeconds };

    private static readonly MetricDefinition TrainingTokensDefinition = new(
        "distill.training.tokens", MetricKind.Counter, "{token}", "tokens that steps of training learnt from", MetricSource.Run,
        Attribute.Stage);

    private static readonly MetricDefinition ThroughputDefinition = new(
        "distill.throughput", MetricKind.Gauge, "{token}/s", "tokens per second of the stage at work", MetricSource.Run, Attribute.Stage);

    private static readonly MetricDefinition LossDefinition = new(
        "distill.step.loss", MetricKind.Gauge, "{loss}", "loss of the last step", MetricSource.Run, Attribute.Stage);

    private static readonly MetricDefinition RewardDefinition = new(
        "distill.step.reward", MetricKind.Gauge, "{reward}", "mean reward of the last step", MetricSource.Run, Attribute.Stage);

    private static readonly MetricDefinition CallDurationDefinition = new(
        "gen_ai.client.operation.duration", MetricKind.Histogram, "s", "an attempt to ask a remote teacher or judge", MetricSource.Run,
        Attribute.Operation, Attribute.Provider, Attribute.Model, Attribute.Server, Attribute.ServerPort, Attribute.Error)
        { Bounds = CallSeconds };

    private static readonly MetricDefinition CallTokensDefinition = new(
        "gen_ai.client.token.usage", MetricKind.Histogram, "{token}", "tokens of an answered request, as the endpoint counted them",
        MetricSource.Run, Attribute.Operation, Attribute.Provider, Attribute.Model, Attribute.TokenType) { Bounds = CallTokens };

    private static readonly MetricDefinition CallRetriesDefinition = new(
        "distill.teacher.retries", MetricKind.Counter, "{attempt}", "attempts beyond the first of a request", MetricSource.Run,
        Attribute.Model);

    public static MetricDefinition Queued { get; } = new(
        "distill.queue.depth", MetricKind.Gauge, "{run}", "runs that wait for their resource or their next attempt", MetricSource.Service,
        Attribute.Resource);

    public static MetricDefinition Runs { get; } = new(
        "distill.runs", MetricKind.Gauge, "{run}", "runs in the folder, whoever started them", MetricSource.Service, Attribute.State);

    public static MetricDefinition Progress { get; } = new(
        "distill.run.progress", MetricKind.Gauge, "1", "share of the stage at work that is done", MetricSource.Service, Attribute.Run,
        Attribute.Stage);

    public static MetricDefinition LiveThroughput { get; } = new(
        "distill.run.throughput", MetricKind.Gauge, "{token}/s", "tokens per second of the newest step of a run at work",
        MetricSource.Service, Attribute.Run, Attribute.Stage);

    public static MetricDefinition LiveLoss { get; } = new(
        "distill.run.loss", MetricKind.Gauge, "{loss}", "loss of the newest step of a run at work", MetricSource.Service, Attribute.Run,
        Attribute.Stage);

    public static MetricDefinition LiveReward { get; } = new(
        "distill.run.reward", MetricKind.Gauge, "{reward}", "mean reward of the newest step of a run at work", MetricSource.Service,
        Attribute.Run, Attribute.Stage);

    public static MetricDefinition ScheduleNext { get; } = new(
        "distill.schedule.next.timestamp", MetricKind.Gauge, "s", "when a schedule is due next, in seconds since 1970; absent when never",
        MetricSource.Service, Attribute.Schedule);

    public static MetricDefinition ScheduleLast { get; } = new(
        "distill.schedule.last.timestamp", MetricKind.Gauge, "s", "when its last run ended, in seconds since 1970; absent before the first",
        MetricSource.Service, Attribute.Schedule);

    public static MetricDefinition ScheduleDuration { get; } = new(
        "distill.schedule.last.duration", MetricKind.Gauge, "s", "how long the attempts of its last run took", MetricSource.Service,
        Attribute.Schedule);

    public static MetricDefinition ScheduleOutcome { get; } = new(
        "distill.schedule.last.outcome", MetricKind.Gauge, "{run}", "1 for how its last run ended, 0 for every other end",
        MetricSource.Service, Attribute.Schedule, Attribute.Outcome);

    public static MetricDefinition SchedulePaused { get; } = new(
        "distill.schedule.paused", MetricKind.Gauge, "{schedule}", "1 while it is paused or not enabled", MetricSource.Service,
        Attribute.Schedule);

    public static MetricDefinition OccurrenceEnds { get; } = new(
        "distill.schedule.runs", MetricKind.Counter, "{run}", "runs of a schedule that ended since the service was started",
        MetricSource.Service, Attribute.Schedule, Attribute.Outcome);

    public static MetricDefinition Workers { get; } = new(
        "distill.workers", MetricKind.Gauge, "{worker}", "workers that share the folder of runs", MetricSource.Service, Attribute.State);

    public static MetricDefinition Units { get; } = new(
        "distill.units", MetricKind.Gauge, "{unit}", "units of the stages that workers were given: `done`, `open`, `set_aside`",
        MetricSource.Service, Attribute.Run, Attribute.Stage, Attribute.State);

    public static MetricDefinition DiskFree { get; } = new(
        "distill.disk.free", MetricKind.Gauge, "By", "space left where the runs lie", MetricSource.Service);

    public static MetricDefinition Ready { get; } = new(
        "distill.ready", MetricKind.Gauge, "{service}", "1 while runs can be started", MetricSource.Service);

    public static MetricDefinition Faults { get; } = new(
        "distill.faults", MetricKind.Gauge, "{fault}", "reasons why /health says degraded or not ready", MetricSource.Service);

    public static MetricDefinition Refusals { get; } = new(
        "distill.requests.refused", MetricKind.Counter, "{request}", "requests that nobody was let in with", MetricSource.Service,
        Attribute.Reason);

    public static Histogram<double> RunDuration { get; } = RunDurationDefinition.Histogram(Meter);

    public static Histogram<double> StageDuration { get; } = StageDurationDefinition.Histogram(Meter);

    public static Histogram<double> UnitDuration { get; } = UnitDurationDefinition.Histogram(Meter);

    public static Counter<long> TrainingTokens { get; } = TrainingTokensDefinition.Counter(Meter);

    public static Gauge<double> Throughput { get; } = ThroughputDefinition.Gauge(Meter);

    public static Gauge<double> Loss { get; } = LossDefinition.Gauge(Meter);

    public static Gauge<double> Reward { get; } = RewardDefinition.Gauge(Meter);

    public static Histogram<double> CallDuration { get; } = CallDurationDefinition.Histogram(Meter);

    public static Histogram<double> CallTokenUsage { get; } = CallTokensDefinition.Histogram(Meter);

    public static Counter<long> CallRetries { get; } = CallRetriesDefinition.Counter(Meter);
}
