using System.Collections.Concurrent;
using System.Data.Common;
using Distill.Service.Hosting.Access;
using Distill.Service.Notifying;
using Distill.Service.Occurrences;
using Distill.Service.Running;
using Distill.Service.Schedules;
using Distill.Storage;
using Hangfire;

namespace Distill.Service.Hosting;

/// <summary>What is wrong with the service, by part, as it was last seen. Thread-safe.</summary>
/// <param name="live">Runs at work, which may have stuck; null where nobody is at work.</param>
/// <param name="certificate">That it answers with; null for HTTP.</param>
internal sealed class ServiceHealth(
    OccurrenceStore store, ScheduleBook book, LiveRuns? live = null, TimeProvider? clock = null, ServerCertificate? certificate = null)
{
    private const long LeastDisk = 1L << 30, NoDisk = 64L << 20;

    /// <summary>Longer than schedules may go unlooked at; a service that hangs so long wants to be started again.</summary>
    public static readonly TimeSpan LongestLook = TimeSpan.FromMinutes(5);

    /// <summary>A run that says nothing for so long has stuck; one that works says how far it is every second.</summary>
    public static readonly TimeSpan LongestSilence = TimeSpan.FromHours(1);

    /// <summary>What was due so long ago, was not started and has nothing to wait for, was missed.</summary>
    public static readonly TimeSpan Late = TimeSpan.FromMinutes(15);

    /// <summary>One that ends sooner was not renewed in time.</summary>
    public static readonly TimeSpan EndOfCertificate = TimeSpan.FromDays(7);

    private readonly TimeProvider clock = clock ?? TimeProvider.System;
    private readonly ConcurrentDictionary<string, Fault> faults = new(StringComparer.Ordinal);
    private long looked = (clock ?? TimeProvider.System).GetTimestamp();

    private readonly record struct Fault(string Message, bool StopsRuns);

    /// <summary>Everything that keeps the service from doing all of its work, a sentence each; empty when nothing does.</summary>
    public IReadOnlyList<string> Reasons() =>
    [
        .. Standing().Select(reason => reason.Message),
        .. faults.ToArray().OrderBy(fault => fault.Key).Select(fault => $"{fault.Key}: {fault.Value.Message}"),
    ];

    /// <summary>The same by part, for who tells of changes: a part's message may change with every look.</summary>
    public IReadOnlyDictionary<string, string> Parts() => Standing().Concat(faults.Select(fault => (fault.Key, fault.Value.Message)))
        .DistinctBy(part => part.Item1).ToDictionary(part => part.Item1, part => part.Item2);

    /// <summary>Whether runs can be started at all.</summary>
    public bool IsReady => !faults.Values.Any(fault => fault.StopsRuns) && !(FreeDisk < NoDisk) && IsLive;

    /// <summary>False where only a new start helps.</summary>
    public bool IsLive => clock.GetElapsedTime(Interlocked.Read(ref looked)) < LongestLook;

    /// <summary>Bytes left where the runs lie; null before there is a folder, and where the system does not say.</summary>
    public long? FreeDisk => AskDisk().Free;

    /// <summary>Schedules are being looked at.</summary>
    public void Looked() => Interlocked.Exchange(ref looked, clock.GetTimestamp());

    /// <summary>Does something that the disk or the database may refuse, and notes how it went.</summary>
    /// <param name="stopsRuns">Whether no run is started without it.</param>
    /// <returns>Whether it was done.</returns>
    public bool Try(string part, Action action, bool stopsRuns = true)
    {
        try
        {
            action();
            faults.TryRemove(part, out _);
            return true;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or InvalidDataException or DbException
            or BackgroundJobClientException or TimeoutException)
        {
            var cause = fault is BackgroundJobClientException { InnerException: { } inner } ? inner : fault;
            faults[part] = new(cause.Message, stopsRuns);
            return false;
        }
    }

    /// <summary>A part that is there no more has no faults.</summary>
    public void Forget(string part) => faults.TryRemove(part, out _);

    private IEnumerable<(string Part, string Message)> Standing()
    {
        if (!IsLive) yield return ("look", $"the schedules were not looked at for {LongestLook.TotalMinutes:0} minutes");
        if (book.Problem is { } problem) yield return ("schedules.yaml", $"the schedules before its last change are in force: {problem}");
        foreach (var notifier in book.Document.Notifiers)
        {
            if (Notifiers.Fault(notifier) is { } fault) yield return ($"notifier {notifier.Name}", $"notifier '{notifier.Name}': {fault}");
        }

        if (certificate?.Fault is { } bad) yield return ("certificate", $"the certificate before its last change is in use: {bad}");
        if (certificate?.Ends is { } end && end - clock.GetUtcNow() < EndOfCertificate)
            yield return ("certificate", $"the certificate ends on {end:yyyy-MM-dd HH:mm} UTC");
        var disk = AskDisk();
        if (disk.Fault is { } unknown) yield return ("disk", $"it cannot be seen how much room there is for runs: {unknown}");
        if (disk.Free is { } free && free < LeastDisk) yield return ("disk", $"only {free / (1 << 20):N0} MiB are free for runs");
        foreach (var schedule in book.Document.Schedules)
        {
            if (MissedBy(schedule) is { } missed) yield return ($"missed {schedule.Name}", missed);
        }

        foreach (var (run, silence) in live?.Silent(LongestSilence) ?? [])
            yield return ($"stuck {run}", $"'{run}' has said nothing for {silence.TotalMinutes:0} minutes");
    }

    private (long? Free, string? Fault) AskDisk()
    {
        try
        {
            return (Directory.Exists(store.RunsFolder) ? new DriveInfo(store.RunsFolder).AvailableFreeSpace : null, null);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return (null, fault.Message);
        }
    }

    // Who asks for the health is told of a file that cannot be read, and does not fail over it.
    private string? MissedBy(ScheduleSection schedule)
    {
        try
        {
            return Missed(schedule) is { } missed
                ? $"'{missed.Run}' was due at {missed.Due:yyyy-MM-dd HH:mm} UTC and has not been started" : null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return $"it cannot be seen what '{schedule.Name}' missed: {fault.Message}";
        }
    }

    private Occurrence? Missed(ScheduleSection schedule)
    {
        var now = clock.GetUtcNow();
        return store.List(schedule.Name).FirstOrDefault(occurrence =>
            occurrence is { State: OccurrenceState.Waiting, Attempts.Count: 0 } && now - occurrence.Due > Late
            && now - occurrence.Decided > Late && !(occurrence.NotBefore > now)
            && !FileLock.IsHeld(store.ResourceLock(occurrence.Resource)));
    }
}
