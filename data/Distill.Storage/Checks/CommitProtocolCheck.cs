using System.Diagnostics;

namespace Distill.Storage.Checks;

/// <summary>
/// Tries in a folder what the commit protocol rests on, by itself and against a second process: a name is given to one alone, a file is
/// replaced in one step, a lock is held by one, what was committed is seen. Every finding that is unsafe says which promise did not hold.
/// Leaves nothing behind. One thread.
/// </summary>
/// <param name="folder">Exists, is empty, and is nobody else's.</param>
/// <param name="start">Starts the second process; null tries what one process can find, which suffices for a disk of this machine.</param>
internal sealed class CommitProtocolCheck(string folder, IProbedFileSystem files, Func<IOtherProcess>? start)
{
    private const int Races = 24, Replacements = 40, Watches = 1000, ReplacedLength = 8192;

    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(50);

    private readonly List<StoreFinding> findings = [];

    /// <summary>A lock of a killed process may take a moment to be given back by a server.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);

    /// <exception cref="IOException">The second process cannot be started.</exception>
    public IReadOnlyList<StoreFinding> Run()
    {
        using var other = start?.Invoke();
        Try("exclusive create", () => Create(other));
        Try("exclusive link", () => Link(other));
        Try("replacement", () => Replace(other));
        Try("flush", Flush);
        Try("symbolic link", LinkSymbolically);
        if (other is not null) Try("visibility", () => See(other));
        Try("lock", () => Lock(other)); // last: it kills the other process
        return findings;
    }

    // What fails and what gives a wrong answer are one to a store: neither can be relied on.
    private void Try(string name, Func<string?> look)
    {
        string? fault;
        try
        {
            fault = look();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            fault = failure.Message;
        }

        findings.Add(fault is null ? new(name, StoreFindingState.Ok, "holds")
            : new(name, StoreFindingState.Unsafe, fault, RemedyOf(name)));
    }

    private static string RemedyOf(string name) => name switch
    {
        "exclusive link" or "symbolic link" => "Runs need hard and symbolic links, which FAT, exFAT and most folders that show an object "
            + "store lack: choose another place with --runs, or share by an object store (docs/store.md).",
        "lock" => "Mount it so that flock() holds (NFS: without nolock and local_lock; Lustre: -o flock), do not set "
            + "DOTNET_SYSTEM_IO_DISABLEFILELOCKING, or choose another place with --runs.",
        "visibility" => "Mount it with less caching (NFS: actimeo=3, lookupcache=positive; SMB: cache=strict), or choose another place.",
        _ => "Choose a folder that can be written, on another file system, with --runs.",
    };

    private string? Create(IOtherProcess? other)
    {
        if (!files.TryCreate(At("a"), "one")) return "a new file could not be made: its name was said to be taken";
        if (files.TryCreate(At("a"), "two")) return "a file was made although its name was taken";
        if (other is not null && Says(other, OtherProcessOrders.Create, "a", "three"))
            return "a second process made a file although its name was taken";
        return files.Read(At("a")) == "one" ? null : "a file has other content than was written";
    }

    private string? Link(IOtherProcess? other)
    {
        if (!files.TryCreate(At("l1"), "one") || !files.TryCreate(At("l2"), "two")) return "files could not be made";
        if (!files.TryLink(At("l1"), At("l"))) return "a free name was said to be taken";
        if (files.TryLink(At("l2"), At("l"))) return "a name was given twice";
        if (files.Read(At("l")) != "one") return "a linked file has other content";
        if (other is null) return null;
        if (Says(other, OtherProcessOrders.Link, "l2", "l")) return "a name was given to a second process too";
        for (int race = 0; race < Races; race++)
        {
            string name = $"r{race}";
            other.Ask(OtherProcessOrders.Link, "l2", name);
            bool mine = files.TryLink(At("l1"), At(name)), theirs = other.Answer() == OtherProcessOrders.Yes;
            if (mine && theirs) return "of two processes at once, both were given one name";
            if (!mine && !theirs) return "of two processes at once, none was given a free name";
            if (files.Read(At(name)) != (mine ? "one" : "two")) return "a name leads to the file of the process that it was refused to";
        }

        return null;
    }

    private string? Replace(IOtherProcess? other)
    {
        string one = new('1', ReplacedLength), two = new('2', ReplacedLength);
        files.Replace(At("p"), one);
        other?.Ask(OtherProcessOrders.Watch, "p", $"{Watches}", $"{ReplacedLength}");
        for (int i = 0; i < Replacements; i++) files.Replace(At("p"), i % 2 == 0 ? two : one);
        string seen = other?.Answer() ?? OtherProcessOrders.Yes;
        if (seen == OtherProcessOrders.Half) return "a second process found half of a file that was being replaced";
        if (seen != OtherProcessOrders.Yes) return "a second process found no file where one was being replaced";
        return files.Read(At("p")) == one ? null : "a replaced file has its old content";
    }

    private string? Flush()
    {
        files.SyncFolder(folder);
        return null;
    }

    private string? LinkSymbolically()
    {
        files.LinkSymbolically(At("s"), "a");
        return files.Read(At("s")) == "one" ? null : "a symbolic link leads nowhere";
    }

    // Looked for before it is there, since what was not found is remembered too by file systems that cache.
    private string? See(IOtherProcess other)
    {
        if (Says(other, OtherProcessOrders.Lists, "v") || Ask(other, OtherProcessOrders.Read, "v") != OtherProcessOrders.Nothing)
            return "a second process sees a file that is not there";
        if (files.Read(At("w")) is not null) return "a file is seen that is not there";
        if (!files.TryCreate(At("v0"), "whole") || !files.TryLink(At("v0"), At("v"))) return "a file could not be committed";
        files.SyncFolder(folder);
        if (Ask(other, OtherProcessOrders.Read, "v") != "whole" || !Says(other, OtherProcessOrders.Lists, "v"))
            return "a second process does not see what was committed just now";
        if (!Says(other, OtherProcessOrders.Create, "w", "theirs")) return "a second process could not make a file";
        return files.Read(At("w")) == "theirs" && files.Lists(folder, "w") ? null : "what a second process made is not seen";
    }

    private string? Lock(IOtherProcess? other)
    {
        using (var mine = files.TryLock(At("k"), alone: true))
        {
            if (mine is null) return "a lock that nobody holds could not be taken";
            if (other is null)
            {
                using var again = files.TryLock(At("k"), alone: true);
                return again is null ? null : "a lock was given twice";
            }

            if (Says(other, OtherProcessOrders.Lock, "k")) return "a lock was given to a second process too";
            if (Says(other, OtherProcessOrders.Share, "k")) return "a second process shares a lock that was given to one alone";
        }

        if (!Says(other, OtherProcessOrders.Share, "k")) return "a lock that was given back could not be shared";
        using (var shared = files.TryLock(At("k"), alone: false))
        {
            if (shared is null) return "a shared lock could not be shared";
        }

        if (files.TryLock(At("k"), alone: true) is { } stolen)
        {
            stolen.Dispose();
            return "a lock that a second process shares was given to one alone";
        }

        if (!Says(other, OtherProcessOrders.Lock, "k")) return "a lock that was given back could not be taken";
        other.Kill();
        long began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < Patience)
        {
            using var back = files.TryLock(At("k"), alone: true);
            if (back is not null) return null;
            Thread.Sleep(Glance);
        }

        return $"the lock of a process that was killed is still held after {Patience.TotalSeconds:0} s";
    }

    private string At(string name) => Path.Combine(folder, name);

    private static bool Says(IOtherProcess other, string order, params ReadOnlySpan<string> names) =>
        Ask(other, order, names) == OtherProcessOrders.Yes;

    private static string Ask(IOtherProcess other, string order, params ReadOnlySpan<string> names)
    {
        other.Ask(order, names);
        return other.Answer();
    }
}
