using System.Globalization;
using System.Text.Json.Serialization;

namespace Distill.Service.Occurrences;

/// <summary>How far an occurrence is. What its run made is said by the run's folder, not here.</summary>
internal enum OccurrenceState
{
    /// <summary>For its resource, for an earlier one, or for its next attempt.</summary>
    Waiting,

    Running,

    Finished,

    Failed,

    /// <summary>A gate of the run refused (exit code 3).</summary>
    Refused,

    /// <summary>Never started: an earlier one was still at work.</summary>
    Skipped,

    /// <summary>Stopped for a newer one.</summary>
    Cancelled,
}

/// <summary>Why there is an occurrence.</summary>
internal enum OccurrenceCause
{
    /// <summary>It was due.</summary>
    Schedule,

    /// <summary>It was due while nobody was there to start it.</summary>
    CatchUp,

    /// <summary>Somebody asked for it.</summary>
    Asked,
}

/// <summary>How an attempt ended.</summary>
internal enum AttemptEnd
{
    Finished,

    /// <summary>Exit code 1.</summary>
    Fault,

    /// <summary>Another process, a worker's say, took the run between the look at it and the start: that one is waited for.</summary>
    Busy,

    /// <summary>Exit code 2: the recipe or the call is wrong; another attempt would be too.</summary>
    Invalid,

    /// <summary>Exit code 3.</summary>
    Gate,

    /// <summary>Its process ended by a signal or with a code that is none of ours.</summary>
    Crash,

    /// <summary>It took longer than the schedule allows.</summary>
    Limit,

    /// <summary>The service was stopped; the next one goes on.</summary>
    Stopped,

    /// <summary>Stopped for a newer occurrence.</summary>
    Cancelled,

    /// <summary>Whoever watched it ended without a word, and the run too.</summary>
    Lost,

    /// <summary>Exit code 0 before there was a model, since there was nothing new to learn from. Nothing is there to promote.</summary>
    Early,
}

/// <summary>One start of a run's process.</summary>
/// <param name="Ended">Null while it is at work, and for ever when whoever watched it was killed.</param>
/// <param name="Stage">At work when it ended; null when there was none.</param>
/// <param name="Message">What went wrong, in one line; null when nothing did.</param>
internal sealed record Attempt(
    DateTimeOffset Started, DateTimeOffset? Ended = null, AttemptEnd? End = null, string? Stage = null, string? Message = null)
{
    /// <summary>Whether it counts against the retries.</summary>
    [JsonIgnore]
    public bool IsFailure => End is AttemptEnd.Fault or AttemptEnd.Invalid or AttemptEnd.Gate or AttemptEnd.Crash or AttemptEnd.Limit;
}

/// <summary>
/// One time that a schedule came due, was caught up with or was asked for, and what became of it. Its name follows from its schedule and
/// its time, so that whoever finds it due again finds it there. Immutable.
/// </summary>
/// <param name="Due">UTC, whole seconds.</param>
/// <param name="Resource">The schedule's label when this was made.</param>
internal sealed record Occurrence(
    int Format, string Schedule, DateTimeOffset Due, OccurrenceCause Cause, OccurrenceState State, string Resource, DateTimeOffset Decided)
{
    public const int CurrentFormat = 1;

    private const string NameFormat = "yyyyMMdd't'HHmmss'z'";

    /// <summary>Why it is as it is, in one line; null where the state says all.</summary>
    public string? Reason { get; init; }

    /// <summary>The next attempt is made then at the earliest.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    public IReadOnlyList<Attempt> Attempts { get; init; } = [];

    /// <summary>What followed the run already: <c>push</c>, <c>notify team</c>. A restarted service does not do it again.</summary>
    public IReadOnlyList<string> Followed { get; init; } = [];

    /// <summary>When the last of what follows was done; null before.</summary>
    public DateTimeOffset? Closed { get; init; }

    /// <summary>Within its schedule, sorted as its times are: <c>20261128t010000z</c>.</summary>
    [JsonIgnore]
    public string Name => NameOf(Due);

    /// <summary>Name of its run.</summary>
    [JsonIgnore]
    public string Run => $"{Schedule}-{Name}";

    /// <summary>Something is still to be done for it.</summary>
    [JsonIgnore]
    public bool IsOpen => State is OccurrenceState.Waiting or OccurrenceState.Running;

    [JsonIgnore]
    public int Failures => Attempts.Count(attempt => attempt.IsFailure);

    public static string NameOf(DateTimeOffset due) => due.UtcDateTime.ToString(NameFormat, CultureInfo.InvariantCulture);

    public static bool TryParseName(string name, out DateTimeOffset due) => DateTimeOffset.TryParseExact(
        name, NameFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out due);
}
