using Distill.Service.Schedules;

namespace Distill.Service.Occurrences;

/// <summary>What is known of a schedule at a moment.</summary>
/// <param name="SeenUntil">What was due up to then was decided on.</param>
/// <param name="Known">Its occurrences, in any order.</param>
/// <param name="RemovedUntil">The newest that was removed; null when none was. What was due up to then is over.</param>
internal sealed record ScheduleHistory(
    DateTimeOffset SeenUntil, bool IsPaused, IReadOnlyList<Occurrence> Known, DateTimeOffset? RemovedUntil = null);

/// <summary>What is to be done about a schedule.</summary>
/// <param name="Made">New occurrences in the order of their times; some are over already, with a reason.</param>
/// <param name="Cancelled">Open ones that make way.</param>
/// <param name="SeenUntil">For the next look, to be noted after the rest.</param>
internal sealed record ScheduleDecision(
    IReadOnlyList<Occurrence> Made, IReadOnlyList<Occurrence> Cancelled, DateTimeOffset SeenUntil);

/// <summary>
/// Which occurrences of a schedule are due, missed, or in one another's way. Pure: the same question has the same answer. What is known is
/// never made again, so that asking twice, after a kill or with a clock that went back, starts nothing twice.
/// </summary>
internal static class DueOccurrences
{
    /// <summary>An occurrence that is found so late still counts as on time.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromMinutes(5);

    /// <summary>Of occurrences that are caught up with, and of those that wait.</summary>
    public const int Most = 100;

    // A clock that is set back by more was wrong before: what it left behind silences nothing.
    public static readonly TimeSpan FarthestBack = TimeSpan.FromDays(1);

    public static ScheduleDecision Decide(ScheduleSection schedule, CronTimes times, ScheduleHistory history, DateTimeOffset now)
    {
        if (!schedule.Enabled || history.IsPaused || now <= history.SeenUntil) return new([], [], now);
        var known = history.Known.Select(occurrence => occurrence.Due).ToHashSet();
        var due = new Queue<DateTimeOffset>();
        var over = history.RemovedUntil is { } removed && removed - now <= FarthestBack ? removed : DateTimeOffset.MinValue;
        foreach (var moment in times.Between(history.SeenUntil, now).Where(moment => moment > over && !known.Contains(moment)))
        {
            due.Enqueue(moment);
            if (due.Count > Most) due.Dequeue(); // the oldest of very many are given up
        }

        var onTime = due.Where(moment => now - moment <= Grace).ToList();
        var late = CaughtUp(schedule.CatchUp, [.. due.Take(due.Count - onTime.Count)], onTime.Count > 0);
        var made = new List<Occurrence>();
        var open = history.Known.Where(occurrence => occurrence.IsOpen).ToList();
        var cancelled = new List<Occurrence>();
        foreach (var moment in late) Add(New(OccurrenceCause.CatchUp, moment));
        foreach (var moment in onTime) Add(Admitted(New(OccurrenceCause.Schedule, moment)));
        return new(made, cancelled, now);

        Occurrence New(OccurrenceCause cause, DateTimeOffset moment) =>
            new(Occurrence.CurrentFormat, schedule.Name, moment, cause, OccurrenceState.Waiting, schedule.Resource, now)
            {
                Reason = cause == OccurrenceCause.CatchUp ? "nothing ran to start it when it was due" : null,
            };

        void Add(Occurrence occurrence)
        {
            made.Add(occurrence);
            if (occurrence.IsOpen) open.Add(occurrence);
        }

        Occurrence Admitted(Occurrence occurrence)
        {
            if (open.Count == 0) return occurrence;
            switch (schedule.Overlap)
            {
                case OverlapPolicy.Queue when open.Count < Most:
                    return occurrence;
                case OverlapPolicy.Cancel:
                    cancelled.AddRange(open.Except(made));
                    made.RemoveAll(open.Contains); // of several at once only the last one counts
                    open.Clear();
                    return occurrence;
                default:
                    string why = schedule.Overlap == OverlapPolicy.Queue ? $"{Most} of them wait already"
                        : $"{open[0].Run} is not over yet";
                    return occurrence with { State = OccurrenceState.Skipped, Reason = why, Closed = now };
            }
        }
    }

    private static IEnumerable<DateTimeOffset> CaughtUp(CatchUpPolicy policy, IReadOnlyList<DateTimeOffset> late, bool anotherComes) =>
        policy switch
        {
            CatchUpPolicy.None => [],
            CatchUpPolicy.One => anotherComes ? [] : late.TakeLast(1),
            CatchUpPolicy.All => late,
            _ => throw new ArgumentOutOfRangeException(nameof(policy), policy, "Unknown policy."),
        };
}
