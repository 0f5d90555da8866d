using Distill.Hub.Cache;
using Distill.Hub.Network;
using Distill.Storage;

namespace Distill.Hub.Download;

/// <summary>One pull: which commit, which files, which of them are missing, and these received. Used once.</summary>
internal sealed class SnapshotPull
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(200);

    // What a disk should keep free beyond the files themselves.
    private const long Reserve = 64 << 20;

    private const string Remedy = "Get it with 'distill pull', without HF_HUB_OFFLINE.";

    private readonly HubReference what;
    private readonly HubSelection selection;
    private readonly HubOptions options;
    private readonly TimeProvider clock;
    private readonly HubCache cache;
    private readonly HubInterface hub;
    private readonly BlobDownload download;
    private readonly TransferMeter meter;

    public SnapshotPull(
        HubConnection connection, HubReference what, HubSelection selection, HubOptions options, TimeProvider clock,
        IProgress<HubProgress>? progress)
    {
        (this.what, this.selection, this.options, this.clock) = (what, selection, options, clock);
        meter = new TransferMeter(progress, clock);
        var retry = new HubRetry(options, clock, meter.Wait);
        cache = new HubCache(options, what);
        hub = new HubInterface(connection, retry, options, clock);
        download = new BlobDownload(connection, retry, what, options, clock, meter);
    }

    public async Task<HubSnapshot> RunAsync(CancellationToken cancellation)
    {
        if (options.IsOffline) return Offline();
        var (commit, listing) = await ListAsync(cancellation).ConfigureAwait(false);
        var files = Select(listing, commit);
        await ReceiveAsync(files, commit, cancellation).ConfigureAwait(false);
        cache.WriteRevision(what.RevisionOrMain, commit);
        return Snapshot(commit, [.. files.Select(file => file.Path)], files.Sum(file => file.Size));
    }

    /// <summary>The paths of the files that fit, without receiving any.</summary>
    public async Task<(HubReference Reference, IReadOnlyList<string> Files)> NamesAsync(CancellationToken cancellation)
    {
        string commit;
        IEnumerable<string> names;
        if (options.IsOffline)
        {
            commit = CachedCommit();
            names = cache.Listings.Read(commit)?.Select(file => file.Path) ?? cache.FilesAt(commit);
        }
        else
        {
            (commit, var listing) = await ListAsync(cancellation).ConfigureAwait(false);
            names = listing.Select(file => file.Path);
        }

        return (what.At(commit), [.. names.Where(IsWanted).Order(StringComparer.Ordinal)]);
    }

    private async Task<(string Commit, IReadOnlyList<HubFile> Files)> ListAsync(CancellationToken cancellation)
    {
        string revision = what.RevisionOrMain;
        string commit = HubInterface.IsCommit(revision) ? revision
            : await hub.CommitOfAsync(what, cancellation).ConfigureAwait(false)
                ?? throw new HubException(HubFault.NoRevision, $"{what.Repository} is empty: nothing was ever pushed to it.");
        if (cache.Listings.Read(commit) is { } known) return (commit, known);
        var listing = await hub.FilesOfAsync(what.At(commit), cancellation).ConfigureAwait(false);
        cache.Listings.Write(commit, listing);
        return (commit, listing);
    }

    private string CachedCommit() =>
        cache.CommitOf(what.RevisionOrMain) is { } commit && Directory.Exists(cache.SnapshotOf(commit)) ? commit
        : throw new HubException(HubFault.Offline, $"{what} is not in the cache ({options.CacheFolder}), and nobody may be asked. "
            + $"{Remedy}");

    private HubSnapshot Offline()
    {
        string commit = CachedCommit();
        if (cache.Listings.Read(commit) is not { } listing)
        {
            string[] present = [.. cache.FilesAt(commit).Where(IsWanted)];
            long bytes = present.Sum(path => ContainedPath.LengthOf(cache.PointerOf(commit, path)));
            return present.Length > 0 ? Snapshot(commit, present, bytes)
                : throw new HubException(HubFault.Offline, $"The cache has no file of {what} that fits, and HF_HUB_OFFLINE is set. "
                    + $"{Remedy}");
        }

        var files = Select(listing, commit);
        string[] missing = [.. files.Where(file => !HubCache.IsWhole(cache.PointerOf(commit, file.Path), file)).Select(file => file.Path)];
        return missing.Length == 0 ? Snapshot(commit, [.. files.Select(file => file.Path)], files.Sum(file => file.Size))
            : throw new HubException(HubFault.Offline, $"The cache has {what} only in part ({missing.Length:N0} of {files.Count:N0} files "
                + "are missing, "
                + $"{Printable.Quote(missing[0])} is the first), and nobody may be asked. {Remedy}");
    }

    private HubSnapshot Snapshot(string commit, IReadOnlyList<string> files, long bytes) =>
        new(what.At(commit), what.Path.Length == 0 ? cache.SnapshotOf(commit) : cache.PointerOf(commit, what.Path), files, bytes,
            meter.Moved);

    private bool IsWanted(string path) =>
        RepositoryPath.IsWithin(path, what.Path) && selection.Wants(RepositoryPath.From(path, what.Path));

    private IReadOnlyList<HubFile> Select(IReadOnlyList<HubFile> listing, string commit)
    {
        HubFile[] files = [.. listing.Where(file => IsWanted(file.Path)).OrderBy(file => file.Path, StringComparer.Ordinal)];
        if (files.Length == 0)
        {
            string some = string.Join(", ", listing.Take(8).Select(file => Printable.Quote(file.Path)))
                + (listing.Count > 8 ? ", …" : "");
            throw new HubException(HubFault.NoFile, $"{what.At(commit)} has no file that is wanted here. "
                + $"{(listing.Count == 0 ? "It is empty." : $"It has {some}.")}");
        }

        foreach (var file in files)
        {
            if (RepositoryPath.Fault(file.Path) is { } fault) throw Hostile(file.Path, fault);
        }

        // A name that is a file and a folder, or twice the same: no git tree has it, and one would take the other's place.
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            if (!names.Add(file.Path)) throw Hostile(file.Path, "is there twice");
        }

        foreach (var file in files)
        {
            for (int slash = file.Path.IndexOf('/', StringComparison.Ordinal); slash > 0; slash = file.Path.IndexOf('/', slash + 1))
            {
                if (names.Contains(file.Path[..slash])) throw Hostile(file.Path, "lies in a file");
            }
        }

        return files;
    }

    private HubException Hostile(string path, string fault) =>
        new(HubFault.BadAnswer, $"{what.Repository} names a file {Printable.Quote(path)} that {fault}. Nothing was received; tell its "
            + "owner.");

    private async Task ReceiveAsync(IReadOnlyList<HubFile> files, string commit, CancellationToken cancellation)
    {
        cache.Prepare();
        var missing = files.Where(file => !cache.Has(commit, file)).GroupBy(file => file.ETag).Select(same => same.First()).ToList();
        RequireRoom(missing);
        meter.Expect(missing.Count, missing.Sum(file => file.Size));
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.Concurrency, CancellationToken = cancellation };
        // The largest first: it is the one that everything waits for.
        await Parallel.ForEachAsync(missing.OrderByDescending(file => file.Size), parallel,
            async (file, token) => await ReceiveAsync(file, commit, token).ConfigureAwait(false)).ConfigureAwait(false);
        foreach (var file in files.Where(file => !HubCache.IsWhole(cache.PointerOf(commit, file.Path), file)))
        {
            using var held = await LockAsync(file, cancellation).ConfigureAwait(false);
            cache.Link(commit, file);
        }
    }

    private async Task ReceiveAsync(HubFile file, string commit, CancellationToken cancellation)
    {
        using var held = await LockAsync(file, cancellation).ConfigureAwait(false);
        if (!cache.Has(commit, file)) // somebody else may have brought it meanwhile
            await download.FetchAsync(file, hub.AddressOf(what.At(commit), file.Path), cache.BlobOf(file), cancellation)
                .ConfigureAwait(false);
        cache.Link(commit, file);
        meter.Finish();
    }

    private async Task<FileLock> LockAsync(HubFile file, CancellationToken cancellation)
    {
        string path = cache.LockOf(file);
        while (true)
        {
            if (FileLock.TryTake(path, $"process {Environment.ProcessId} (distill)") is { } taken) return taken;
            meter.Wait($"another process receives {Printable.Of(file.Path)}");
            await Task.Delay(LookAgain, clock, cancellation).ConfigureAwait(false); // a file lock offers nothing to wait on
        }
    }

    private void RequireRoom(List<HubFile> missing)
    {
        long needed = missing.Sum(file => file.Size), free = cache.FreeBytes();
        if (needed + Reserve <= free || needed == 0) return;
        throw new HubException(HubFault.NoPlace, $"{what} takes {needed / 1e9:F1} GB and the disk of the cache ({options.CacheFolder}) "
            + $"has {free / 1e9:F1} GB. "
            + "Make room, set HF_HUB_CACHE to a larger disk, or leave files out.");
    }
}
