using System.Collections.Concurrent;
using System.Data.Common;
using Distill.Service.Notifying;
using Distill.Service.Occurrences;
using Distill.Service.Schedules;
using Hangfire;

namespace Distill.Service.Hosting;

/// <summary>What is wrong with the service, by part, as it was last seen. Thread-safe.</summary>
internal sealed class ServiceHealth(OccurrenceStore store, ScheduleBook book)
{
    private const long LeastDisk = 1L << 30;

    private readonly ConcurrentDictionary<string, Fault> faults = new(StringComparer.Ordinal);

    private readonly record struct Fault(string Message, bool StopsRuns);

    /// <summary>Everything that keeps the service from doing all of its work, a sentence each; empty when nothing does.</summary>
    public IReadOnlyList<string> Reasons() => [.. Standing().Concat(faults.OrderBy(fault => fault.Key).Select(fault =>
        $"{fault.Key}: {fault.Value.Message}"))];

    /// <summary>Whether runs can be started at all.</summary>
    public bool IsReady => !faults.Values.Any(fault => fault.StopsRuns);

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
            or BackgroundJobClientException)
        {
            var cause = fault is BackgroundJobClientException { InnerException: { } inner } ? inner : fault;
            faults[part] = new(cause.Message, stopsRuns);
            return false;
        }
    }

    /// <summary>A part that is there no more has no faults.</summary>
    public void Forget(string part) => faults.TryRemove(part, out _);

    private IEnumerable<string> Standing()
    {
        if (book.Problem is { } problem) yield return $"the schedules before its last change are in force: {problem}";
        foreach (var notifier in book.Document.Notifiers)
        {
            if (Notifiers.Fault(notifier) is { } fault) yield return $"notifier '{notifier.Name}': {fault}";
        }

        if (FreeDisk() is { } free && free < LeastDisk) yield return $"only {free / (1 << 20):N0} MiB are free for runs";
    }

    private long? FreeDisk() => Directory.Exists(store.RunsFolder) ? new DriveInfo(store.RunsFolder).AvailableFreeSpace : null;
}
