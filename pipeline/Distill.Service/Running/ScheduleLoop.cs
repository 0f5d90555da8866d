using System.Collections.Concurrent;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Store;
using Distill.Service.Hosting;
using Distill.Service.Occurrences;
using Distill.Service.Schedules;
using Distill.Service.Watching;
using Microsoft.Extensions.Hosting;

namespace Distill.Service.Running;

/// <summary>Takes occurrences to where they are carried on. May lose them: they are handed out again.</summary>
internal interface IOccurrenceQueue
{
    /// <returns>By what the queue is asked for it later.</returns>
    /// <exception cref="InvalidOperationException">The queue cannot be reached.</exception>
    string Enqueue(Occurrence occurrence);

    /// <summary>Whether it waits there or is being done. A database that failed over may have lost it.</summary>
    /// <exception cref="InvalidOperationException">The queue cannot be reached.</exception>
    bool Holds(string ticket);

    /// <summary>Throws what keeps it from being reached.</summary>
    void Check()
    {
    }
}

/// <summary>
/// Looks every two seconds what is due and what waits, and hands it to the queue. All that it knows is in files, so that it may end at any
/// moment. One thread.
/// </summary>
internal sealed class ScheduleLoop(
    OccurrenceStore store, ScheduleBook book, IOccurrenceQueue queue, ServiceHealth health, TimeProvider clock,
    ServiceEvents? events = null)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2), NoteInterval = TimeSpan.FromMinutes(5),
        CheckInterval = TimeSpan.FromSeconds(10);

    private const string NotYet = "";

    private readonly ConcurrentDictionary<string, string> handedOut = new(StringComparer.Ordinal);

    private string[] looked = [];
    private long queueChecked;

    /// <summary>One look.</summary>
    public void Look()
    {
        health.Looked();
        if (queueChecked == 0 || clock.GetElapsedTime(queueChecked) >= CheckInterval)
        {
            health.Try("queue", queue.Check, stopsRuns: true);
            queueChecked = clock.GetTimestamp();
        }

        book.Refresh();
        var now = clock.GetUtcNow();
        var schedules = book.Document.Schedules;
        foreach (string gone in looked.Except(schedules.Select(schedule => schedule.Name)))
        {
            health.Forget(Part(gone));
            health.Forget(Removal(gone));
        }

        looked = [.. schedules.Select(schedule => schedule.Name)];
        // What is wrong with one keeps no other from its time, and nothing waits for room to be made.
        foreach (var schedule in schedules) health.Try(Part(schedule.Name), () => Start(schedule, now));
        foreach (var schedule in schedules) health.Try(Removal(schedule.Name), () => LetGo(schedule, now), stopsRuns: false);
    }

    /// <summary>The queue is done with it, for now.</summary>
    public void Returned(string schedule, string name) => handedOut.TryRemove($"{schedule}/{name}", out _);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            do
            {
                health.Try("schedules", Look);
                health.Try("health", () => events?.Health(health.Parts()), stopsRuns: false);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // The service stops.
        }
    }

    private static string Part(string schedule) => $"schedule '{schedule}'";

    private static string Removal(string schedule) => $"removing old runs of '{schedule}'";

    private void Start(ScheduleSection schedule, DateTimeOffset now)
    {
        Decide(schedule, now);
        foreach (var occurrence in store.List(schedule.Name).Where(occurrence => occurrence.Closed is null))
            HandOut(occurrence, schedule, now);
    }

    private void Decide(ScheduleSection schedule, DateTimeOffset now)
    {
        if (store.SeenUntil(schedule.Name) is not { } seen)
        {
            store.WriteSeen(schedule.Name, now); // new: what was due before it was written is nobody's
            return;
        }

        var times = schedule.Times();
        bool isDue = now >= seen && times.Next(seen) <= now;
        if (isDue)
        {
            var history = new ScheduleHistory(
                seen, store.IsPaused(schedule.Name), store.List(schedule.Name), store.RemovedUntil(schedule.Name));
            var decision = DueOccurrences.Decide(schedule, times, history, now);
            foreach (var occurrence in decision.Made) store.TryCreate(occurrence);
            foreach (var occurrence in decision.Cancelled) store.AskToCancel(occurrence);
        }

        // The note is flushed to disk, so it is written when it matters; without it the same is found and known already.
        if (isDue || now < seen || now - seen >= NoteInterval) store.WriteSeen(schedule.Name, now);
    }

    private void HandOut(Occurrence occurrence, ScheduleSection schedule, DateTimeOffset now)
    {
        string key = $"{occurrence.Schedule}/{occurrence.Name}";
        if (occurrence.NotBefore > now && !AttemptRules.IsTooLong(occurrence, schedule.Retries, now)) return;
        if (handedOut.TryGetValue(key, out string? ticket) && IsHeld(ticket)) return;
        handedOut[key] = NotYet;
        // One that is back already stays away.
        if (!health.Try("queue", () => handedOut.TryUpdate(key, queue.Enqueue(occurrence), NotYet))) handedOut.TryRemove(key, out _);
    }

    // Of a queue that does not answer nothing is known: what it was given counts as held.
    private bool IsHeld(string ticket)
    {
        bool isHeld = true;
        health.Try("queue", () => isHeld = queue.Holds(ticket));
        return isHeld;
    }

    // It is not made again, should the clock be set back.
    private void Remove(Occurrence occurrence, DateTimeOffset now)
    {
        if (occurrence.Due - now <= DueOccurrences.FarthestBack && !(store.RemovedUntil(occurrence.Schedule) >= occurrence.Due))
            store.WriteRemoved(occurrence.Schedule, occurrence.Due);
        store.Remove(occurrence);
    }

    private void LetGo(ScheduleSection schedule, DateTimeOffset now)
    {
        var known = store.List(schedule.Name);
        IOException? first = null;
        foreach (var occurrence in AttemptRules.Expired(schedule.Retention, known, now))
        {
            try
            {
                if (RunState.TryRead(new RunFolder(store.RunsFolder, occurrence.Run).Path) is not null)
                    RunRemoval.Plan(store.RunsFolder, occurrence.Run, clock).Remove();
                Remove(occurrence, now);
            }
            catch (RunRefusedException)
            {
                // Somebody works on it; it goes when nobody does.
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                first ??= new IOException($"'{occurrence.Run}': {fault.Message}", fault); // the others go all the same
            }
        }

        foreach (var occurrence in AttemptRules.Forgotten(known).ToList()) Remove(occurrence, now);
        if (first is not null) throw first;
    }
}
