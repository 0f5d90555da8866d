using System.Collections.Concurrent;
using Distill.Pipeline.Watching;
using Distill.Service.Occurrences;

namespace Distill.Service.Watching;

/// <summary>A value of a metric.</summary>
/// <param name="Labels">In the order of the metric's attributes.</param>
internal sealed record MetricSample(double Value, params IReadOnlyList<string> Labels);

/// <summary>What happens in the service, written to its log and counted. Thread-safe.</summary>
internal sealed class ServiceEvents(StructuredLog log)
{
    // Attackers must not make memory grow: reasons are ours, schedules are those of the file.
    private readonly ConcurrentDictionary<(string Schedule, string Outcome), long> ends = [];
    private readonly ConcurrentDictionary<string, long> refusals = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> faults = new(StringComparer.Ordinal);

    public static ServiceEvents OfNobody { get; } = new(StructuredLog.None);

    public IReadOnlyList<MetricSample> Ends =>
        [.. ends.Select(end => new MetricSample(end.Value, end.Key.Schedule, end.Key.Outcome))];

    public IReadOnlyList<MetricSample> Refusals => [.. refusals.Select(refusal => new MetricSample(refusal.Value, refusal.Key))];

    public void Started(string address) => log.Write(LogLevel.Info, "service_started", "", new LogField("address", address));

    public void Stopped() => log.Write(LogLevel.Info, "service_stopped", "what was at work goes on with the next start");

    public void AttemptStarted(Occurrence occurrence) => Write(LogLevel.Info, "attempt_started", occurrence, "");

    public void AttemptEnded(Occurrence occurrence, Attempt attempt) => log.Write(
        attempt.IsFailure ? LogLevel.Warning : LogLevel.Info, "attempt_ended", attempt.Message ?? "",
        [
            .. Fields(occurrence), new("stage", attempt.Stage), new("end", attempt.End?.ToString().ToLowerInvariant()),
            new("seconds", attempt.Ended is { } ended ? Math.Round((ended - attempt.Started).TotalSeconds, 1) : null),
        ]);

    /// <param name="stage">At work when it was said; null between stages.</param>
    public void Said(Occurrence occurrence, string? stage, string line) =>
        log.Write(LogLevel.Info, "run_said", line, [.. Fields(occurrence), new("stage", stage)]);

    /// <summary>What follows it is done too.</summary>
    public void Closed(Occurrence occurrence)
    {
        string outcome = WordOf(occurrence.State);
        ends.AddOrUpdate((occurrence.Schedule, outcome), 1, (_, count) => count + 1);
        log.Write(
            occurrence.State is OccurrenceState.Failed or OccurrenceState.Refused ? LogLevel.Warning : LogLevel.Info, "run_ended",
            occurrence.Reason ?? "", [.. Fields(occurrence), new("outcome", outcome)]);
    }

    /// <param name="reason">One of a few words.</param>
    /// <param name="from">Address of whoever asked.</param>
    public void Refused(string reason, string from, string path)
    {
        refusals.AddOrUpdate(reason, 1, (_, count) => count + 1);
        log.Write(LogLevel.Warning, "request_refused", "", new("reason", reason), new("from", from), new("path", path));
    }

    public void Failed(string path, Exception fault) => log.Write(
        LogLevel.Error, "request_failed", fault.Message, new("path", path), new("error", fault.GetType().Name));

    /// <summary>Says what of the service's health is new and what is over.</summary>
    public void Health(IReadOnlyDictionary<string, string> reasons)
    {
        foreach (var (part, message) in reasons)
        {
            if (faults.TryAdd(part, message)) log.Write(LogLevel.Warning, "fault", message, new LogField("part", part));
        }

        foreach (string part in faults.Keys.Where(part => !reasons.ContainsKey(part)))
        {
            if (faults.TryRemove(part, out _)) log.Write(LogLevel.Info, "fault_over", "", new LogField("part", part));
        }
    }

    public static string WordOf(OccurrenceState state) => state.ToString().ToLowerInvariant();

    private void Write(LogLevel level, string name, Occurrence occurrence, string message) =>
        log.Write(level, name, message, [.. Fields(occurrence)]);

    private static LogField[] Fields(Occurrence occurrence) =>
    [
        new("schedule", occurrence.Schedule), new("run", occurrence.Run), new("attempt", Math.Max(1, occurrence.Attempts.Count)),
    ];
}
