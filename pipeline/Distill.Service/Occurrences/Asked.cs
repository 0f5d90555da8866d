using Distill.Service.Schedules;

namespace Distill.Service.Occurrences;

/// <summary>Occurrences that somebody asks for.</summary>
internal static class Asked
{
    /// <summary>Makes one for this moment, or for the first second after it that has none. Overlap does not matter: it waits its
    /// turn.</summary>
    public static Occurrence Make(OccurrenceStore store, ScheduleSection schedule, TimeProvider clock)
    {
        var now = clock.GetUtcNow();
        var second = new DateTimeOffset(now.UtcTicks - (now.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero);
        while (true)
        {
            var occurrence = new Occurrence(
                Occurrence.CurrentFormat, schedule.Name, second, OccurrenceCause.Asked, OccurrenceState.Waiting, schedule.Resource, now);
            if (store.TryCreate(occurrence)) return occurrence;
            second = second.AddSeconds(1);
        }
    }
}
