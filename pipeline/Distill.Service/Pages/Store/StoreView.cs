using Distill.Pipeline.Store;
using Distill.Storage;

namespace Distill.Service.Pages.Store;

/// <param name="Pinned">Never removed.</param>
/// <param name="Unreferenced">No run links to them, nothing that is kept was made from them, and they are not pinned.</param>
/// <param name="Unfinished">Being made, interrupted or damaged.</param>
internal sealed record StoredKind(
    string Kind, int Artefacts, long Bytes, int Pinned, int Unreferenced, long UnreferencedBytes, int Unfinished);

/// <summary>What there is in the store at a moment.</summary>
/// <param name="FreeBytes">Of the disk.</param>
internal sealed record StorePicture(
    DateTimeOffset At, IReadOnlyList<StoredKind> Kinds, long FreeBytes, long DiskBytes, IReadOnlyList<Retention> Items)
{
    public long Bytes => Kinds.Sum(kind => kind.Bytes);
}

/// <summary>
/// Looks through the whole store, which takes a second for some thousand artefacts: the picture is kept for a while, and who asks
/// meanwhile, or while it is made anew, gets the one there is. Thread-safe.
/// </summary>
internal sealed class StoreView(ServiceView view)
{
    private static readonly TimeSpan Keep = TimeSpan.FromSeconds(30);

    private readonly Lock gate = new();
    private Task<StorePicture>? making;

    private volatile StorePicture? newest;

    /// <summary>Waits only where there is none yet.</summary>
    public async Task<StorePicture> LookAsync(CancellationToken cancellation)
    {
        Task<StorePicture> task;
        lock (gate)
        {
            if (newest is { } fresh && view.Now - fresh.At < Keep && view.Now >= fresh.At) return fresh;
            if (making is null or { IsCompleted: true }) making = Task.Run(Look, CancellationToken.None);
            task = making;
        }

        return newest ?? await task.WaitAsync(cancellation);
    }

    private StorePicture Look()
    {
        var items = Directory.Exists(view.RunsFolder)
            ? new GarbageCollection(view.RunsFolder, TimeSpan.Zero, view.Clock).Plan() : [];
        var disk = Directory.Exists(view.RunsFolder) ? new DriveInfo(view.RunsFolder) : null;
        var kinds = items.GroupBy(item => item.Artifact.Entry.Kind).Select(Sum).OrderByDescending(kind => kind.Bytes);
        return newest = new(view.Now, [.. kinds],
            disk?.AvailableFreeSpace ?? 0, disk?.TotalSize ?? 0, items);
    }

    private static StoredKind Sum(IGrouping<string, Retention> kind) => new(
        kind.Key, kind.Count(), kind.Sum(item => item.Artifact.Entry.Bytes), kind.Count(item => item.Artifact.IsPinned),
        kind.Count(item => !item.IsKept), kind.Where(item => !item.IsKept).Sum(item => item.Artifact.Entry.Bytes),
        kind.Count(item => item.Artifact.Entry.State != StoreEntryState.Finished));
}
