using System.Collections.Concurrent;
using System.Globalization;
using Distill.Storage;

namespace Distill.Service.Fleet;

/// <summary>What a worker says of itself, anew every few seconds.</summary>
/// <param name="Session">Another one at every start.</param>
/// <param name="Beat">Grows with every writing: it tells a frozen worker from a living one without anybody's clock.</param>
/// <param name="Process">Of the worker; the one that does its work has another.</param>
/// <param name="Device">Null: whatever the recipe takes on that machine.</param>
/// <param name="Units">It has made since it began.</param>
internal sealed record WorkerNote(
    string Name, string Session, long Beat, string Host, int Process, IReadOnlyList<string> Queues, string? Device, DateTimeOffset Began,
    DateTimeOffset Written, int Units)
{
    /// <summary>The device of a worker that leaves its machine's cards alone.</summary>
    public const string Processor = "cpu";

    /// <summary>Null where it waits for work.</summary>
    public WorkAtHand? Doing { get; init; }

    /// <summary>What it waits for besides work, or what went wrong last; null where all is well.</summary>
    public string? Trouble { get; init; }
}

/// <param name="Since">When it began this piece.</param>
/// <param name="Detail">How far it is, in words; may be empty.</param>
internal sealed record WorkAtHand(string Run, string Stage, int First, int End, DateTimeOffset Since, string Detail);

/// <summary>
/// A worker's place among the others, from its start to its end: a lock that the system gives back however it ends, and a note. Made and
/// disposed by the worker.
/// </summary>
internal sealed class WorkerPlace : IDisposable
{
    private const int MostOfHost = 1000;

    private readonly FleetFolder folder;
    private readonly FileLock held;
    private readonly TimeProvider clock;
    private readonly Lock gate = new();
    private WorkerNote note;

    private WorkerPlace(FleetFolder folder, FileLock held, WorkerNote note, TimeProvider clock)
    {
        Former = NoteFile.TryRead<WorkerNote>(folder.WorkerNote(note.Name))?.Doing;
        (this.folder, this.held, this.note, this.clock) = (folder, held, note, clock);
        Write(now => now);
    }

    /// <summary>What the last one of this name was at when it ended without a word.</summary>
    public WorkAtHand? Former { get; }

    public WorkerNote Note
    {
        get
        {
            lock (gate) return note;
        }
    }

    /// <summary>Takes the first free name of this host.</summary>
    /// <exception cref="IOException">The folder cannot be written to, or the device has a worker already.</exception>
    public static WorkerPlace Take(FleetFolder folder, IReadOnlyList<string> queues, string? device, TimeProvider clock)
    {
        folder.Create();
        string host = HostName();
        foreach (string other in folder.Workers().Where(other => device is not null && FileLock.IsHeld(folder.WorkerLock(other))))
        {
            if (NoteFile.TryRead<WorkerNote>(folder.WorkerNote(other)) is { } note && note.Host == host && note.Device == device)
                throw new IOException($"The worker {other} (process {note.Process}) has {device} of this machine already. "
                    + "End it, or name another --device.");
        }

        for (int number = 1; number <= MostOfHost; number++)
        {
            string name = $"{host}-{number}";
            if (FileLock.TryTake(folder.WorkerLock(name), $"process {Environment.ProcessId}") is not { } held) continue;
            var now = clock.GetUtcNow();
            string session = string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}-{now.UtcTicks}");
            return new(folder, held, new(name, session, 0, host, Environment.ProcessId, queues, device, now, now, 0), clock);
        }

        throw new IOException($"This machine has {MostOfHost} workers already.");
    }

    /// <summary>Says something else of itself, or that it is still there.</summary>
    public void Write(Func<WorkerNote, WorkerNote> change)
    {
        lock (gate)
        {
            note = change(note) with { Beat = note.Beat + 1, Written = clock.GetUtcNow() };
            NoteFile.Write(folder.WorkerNote(note.Name), note);
        }
    }

    public void Dispose()
    {
        File.Delete(folder.WorkerNote(note.Name));
        held.Dispose();
    }

    // A plain file name, whatever the machine is called.
    private static string HostName()
    {
        string name = new([.. Environment.MachineName.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) || c == '-' ? c : '-')]);
        name = name.Trim('-');
        return name.Length == 0 ? "host" : name[..Math.Min(name.Length, 40)];
    }
}

/// <summary>
/// Which workers live, as seen from here: one is gone when its lock is free or another session has its name, and counts as gone when its
/// note has not changed for <see cref="Patience"/> of this process's own time. Who looks for the first time has seen nobody stand still.
/// Thread-safe.
/// </summary>
internal sealed class WorkerWatch(FleetFolder folder, TimeProvider clock, TimeSpan patience)
{
    /// <summary>How long a worker may be silent.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly ConcurrentDictionary<string, (string Session, long Beat, long Seen)> seen = new(StringComparer.Ordinal);

    /// <summary>Those that live, the silent left out.</summary>
    public IReadOnlyList<WorkerNote> Living() => [.. folder.Workers().Select(Read).OfType<WorkerNote>()
        .Where(note => IsAlive(note.Name, note.Session))];

    public bool IsAlive(string worker, string session) =>
        FileLock.IsHeld(folder.WorkerLock(worker)) && Read(worker) is { } note && note.Session == session && !IsSilent(note);

    private WorkerNote? Read(string worker) => NoteFile.TryRead<WorkerNote>(folder.WorkerNote(worker));

    private bool IsSilent(WorkerNote note)
    {
        long now = clock.GetTimestamp();
        var before = seen.GetOrAdd(note.Name, _ => (note.Session, note.Beat, now));
        if (before.Session == note.Session && before.Beat == note.Beat) return clock.GetElapsedTime(before.Seen, now) >= patience;
        seen[note.Name] = (note.Session, note.Beat, now);
        return false;
    }
}
