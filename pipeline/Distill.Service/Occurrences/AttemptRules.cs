using Distill.Service.Schedules;

namespace Distill.Service.Occurrences;

/// <summary>What an attempt's end means for its occurrence, and which occurrences a schedule lets go of. Pure.</summary>
internal static class AttemptRules
{
    private const int MostRecords = 200, MostLost = 3;

    private static readonly TimeSpan LongestDelay = TimeSpan.FromDays(1);

    /// <summary>The occurrence after its last attempt ended.</summary>
    public static Occurrence After(Occurrence occurrence, Attempt ended, RetrySection retries, DateTimeOffset now)
    {
        var next = occurrence with { Attempts = [.. occurrence.Attempts.SkipLast(1), ended], Reason = ended.Message, NotBefore = null };
        switch (ended.End)
        {
            case AttemptEnd.Finished or AttemptEnd.Early:
                return next with { State = OccurrenceState.Finished };
            case AttemptEnd.Cancelled:
                return next with { State = OccurrenceState.Cancelled };
            case AttemptEnd.Stopped or AttemptEnd.Lost or AttemptEnd.Busy:
                return next with { State = OccurrenceState.Waiting };
        }

        if (ReasonOf(ended.End) is { } reason && retries.Covers(reason) && next.Failures <= retries.Attempts)
            return next with { State = OccurrenceState.Waiting, NotBefore = now + Delay(retries, next.Failures) };
        return next with { State = ended.End == AttemptEnd.Gate ? OccurrenceState.Refused : OccurrenceState.Failed };
    }

    /// <summary>
    /// What an attempt is that nobody saw the end of. What takes its service with it every time (memory, above all) is not begun for ever.
    /// </summary>
    /// <param name="before">The attempts before it, oldest first.</param>
    public static (AttemptEnd End, string Message) WithoutWord(IEnumerable<Attempt> before) =>
        before.Reverse().TakeWhile(attempt => attempt.End == AttemptEnd.Lost).Count() < MostLost - 1
            ? (AttemptEnd.Lost, "the service ended without a word")
            : (AttemptEnd.Crash, $"the service ended without a word {MostLost} times in a row while it was at work");

    /// <summary>Twice as long before each further attempt.</summary>
    /// <param name="failures">So far, at least 1.</param>
    public static TimeSpan Delay(RetrySection retries, int failures)
    {
        double minutes = retries.DelayMinutes * Math.Pow(2, Math.Min(failures - 1, 30));
        return minutes < LongestDelay.TotalMinutes ? TimeSpan.FromMinutes(minutes) : LongestDelay;
    }

    /// <summary>The occurrence with a wait that is no longer than it was meant to be: the clock may have been set back since.</summary>
    public static Occurrence Clamped(Occurrence occurrence, RetrySection retries, DateTimeOffset now) =>
        IsTooLong(occurrence, retries, now) ? occurrence with { NotBefore = now + Delay(retries, occurrence.Failures) } : occurrence;

    public static bool IsTooLong(Occurrence occurrence, RetrySection retries, DateTimeOffset now) =>
        occurrence.NotBefore is { } time && time > now + Delay(retries, occurrence.Failures);

    /// <summary>Ended occurrences whose runs the schedule does not keep.</summary>
    public static IReadOnlyList<Occurrence> Expired(RetentionSection retention, IEnumerable<Occurrence> known, DateTimeOffset now)
    {
        // What ended days in the future did so by a clock that was wrong, and is no newer than anything.
        var closed = Closed(known).OrderBy(occurrence => occurrence.Closed - now > DueOccurrences.FarthestBack)
            .ThenByDescending(occurrence => occurrence.Closed).ThenByDescending(occurrence => occurrence.Due)
            .Where(occurrence => occurrence.Attempts.Count > 0).ToList();
        return
        [
            .. closed.Where((occurrence, index) => (retention.Runs > 0 && index >= retention.Runs)
                || (retention.Days > 0 && now - occurrence.Closed >= TimeSpan.FromDays(retention.Days))),
        ];
    }

    /// <summary>Ended occurrences that are so many and so old that nobody asks for them any more; their runs stay.</summary>
    public static IEnumerable<Occurrence> Forgotten(IEnumerable<Occurrence> known) =>
        Closed(known).OrderByDescending(occurrence => occurrence.Due).Skip(MostRecords);

    private static IEnumerable<Occurrence> Closed(IEnumerable<Occurrence> known) =>
        known.Where(occurrence => occurrence is { IsOpen: false, Closed: not null });

    private static RetryReason? ReasonOf(AttemptEnd? end) => end switch
    {
        AttemptEnd.Fault => RetryReason.Fault,
        AttemptEnd.Crash => RetryReason.Crash,
        AttemptEnd.Limit => RetryReason.Limit,
        AttemptEnd.Gate => RetryReason.Gate,
        _ => null,
    };
}
