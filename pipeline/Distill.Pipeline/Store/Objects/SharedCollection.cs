using Distill.Pipeline.Runs;
using Distill.Storage.Objects;

namespace Distill.Pipeline.Store.Objects;

/// <param name="KeptBecause">In words; null for what is removed.</param>
internal sealed record SharedRetention(SharedArtifact Artifact, string? KeptBecause);

/// <summary>What a collection would remove from a shared store.</summary>
/// <param name="Contents">Contents and units that nothing kept names, older than the limit.</param>
internal sealed record SharedCollectionPlan(IReadOnlyList<SharedRetention> Artefacts, IReadOnlyList<StoredObject> Contents)
{
    public IReadOnlyList<SharedArtifact> Garbage =>
        [.. Artefacts.Where(item => item.KeptBecause is null).Select(item => item.Artifact)];

    public long ContentBytes => Contents.Sum(content => content.Bytes);
}

/// <summary>
/// Removes from a shared store what no run on any machine names, what nothing kept was made from, what is not pinned and what is old
/// enough. Manifests go first, so that none is ever there without its contents; a content that somebody put anew meanwhile stays.
/// Nobody can be shut out meanwhile as from a folder, so nothing that is younger than a day goes, whatever the limit. Ages are the store's:
/// this machine's clock may be wrong.
/// </summary>
internal sealed class SharedCollection(SharedStore store, SharedRuns runs, TimeSpan limit)
{
    private TimeSpan Limit => limit > SharedStore.Grace ? limit : SharedStore.Grace;

    /// <summary>What would be removed, and why the rest stays. Removes nothing.</summary>
    /// <exception cref="RunRefusedException">A record of a run cannot be read, so that nobody knows what it names.</exception>
    public SharedCollectionPlan Plan(CancellationToken cancellation)
    {
        var now = store.Now(cancellation);
        var old = ((string[])[ObjectNames.Objects, ObjectNames.Units, ObjectNames.Checks])
            .SelectMany(place => store.Objects.List(place, cancellation)).Where(found => IsOld(found.Changed, now))
            .ToList(); // looked at before the manifests: what is named later is younger
        var reasons = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var run in runs.List(Refuse, cancellation))
        {
            foreach (var (stage, digest) in run.Artefacts) reasons.TryAdd(digest, $"used by {run.Reference}/{stage}");
        }

        foreach (var pin in store.Objects.List(ObjectNames.Pins, cancellation))
            reasons.TryAdd(pin.Name[ObjectNames.Pins.Length..], "pinned");
        var artefacts = store.All(_ => { }, cancellation).ToList();
        foreach (var young in artefacts.Where(item => !IsOld(item.Changed, now)))
            reasons.TryAdd(young.Manifest.Digest, $"younger than {Limit.TotalDays:0.##} days");
        KeepAncestors(artefacts, reasons);
        SharedRetention[] all = [.. artefacts.Select(item => new SharedRetention(item, reasons.GetValueOrDefault(item.Manifest.Digest)))];
        var named = all.Where(item => item.KeptBecause is not null).SelectMany(item => item.Artifact.Manifest.Files)
            .Select(file => ObjectNames.Content(file.Sha256)).Concat(InWork(now, cancellation)).ToHashSet(StringComparer.Ordinal);
        return new SharedCollectionPlan(all, [.. old.Where(found => !named.Contains(found.Name))]);
    }

    /// <summary>Removes what a plan names, but for what changed since.</summary>
    /// <returns>How many contents were removed, and their bytes.</returns>
    /// <exception cref="OperationCanceledException">What was removed before is gone; nothing is half.</exception>
    public (int Contents, long Bytes) Remove(SharedCollectionPlan plan, CancellationToken cancellation)
    {
        // Somebody may have published or noted a run since, while it was asked whether all this may go.
        var (still, now) = (Plan(cancellation), store.Now(cancellation));
        var garbage = still.Garbage.Select(item => (item.Key, item.Version)).ToHashSet();
        var waste = still.Contents.Select(content => content.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var item in plan.Garbage.Where(item => garbage.Contains((item.Key, item.Version))))
        {
            cancellation.ThrowIfCancellationRequested();
            store.Objects.Delete(ObjectNames.Manifest(item.Key, item.Version), cancellation);
        }

        var (count, bytes) = (0, 0L);
        foreach (var content in plan.Contents.Where(content => waste.Contains(content.Name)))
        {
            cancellation.ThrowIfCancellationRequested();
            // One that is young was put anew for a new manifest.
            if (store.Objects.Look(content.Name, cancellation) is not { } found || !IsOld(found.Changed, now)) continue;
            store.Objects.Delete(content.Name, cancellation);
            (count, bytes) = (count + 1, bytes + content.Bytes);
        }

        store.Objects.AbandonUploads(now - Limit, cancellation);
        return (count, bytes);
    }

    private bool IsOld(DateTimeOffset changed, DateTimeOffset now) => now - changed >= Limit;

    // Units of keys that somebody works on, however old the first of them are, and their contents.
    private IEnumerable<string> InWork(DateTimeOffset now, CancellationToken cancellation)
    {
        var keys = store.Objects.List(ObjectNames.Units, cancellation).GroupBy(unit => string.Join('/', unit.Name.Split('/').Take(3)));
        foreach (var unit in keys.Where(units => units.Any(unit => !IsOld(unit.Changed, now))).SelectMany(units => units))
        {
            yield return unit.Name;
            if (SharedParts.RecordAt(store, unit.Name, cancellation) is { } part) yield return ObjectNames.Content(part.Sha256);
        }
    }

    private static void Refuse(string fault) =>
        throw new RunRefusedException($"{fault} Nothing was removed. Forget that run with 'distill runs rm', or let it note itself again.");

    private static void KeepAncestors(IReadOnlyList<SharedArtifact> artefacts, Dictionary<string, string> reasons)
    {
        var byDigest = artefacts.ToLookup(item => item.Manifest.Digest);
        var open = new Queue<string>(reasons.Keys);
        while (open.TryDequeue(out string? digest))
        {
            if (byDigest[digest].FirstOrDefault() is not { } kept) continue;
            foreach (string parent in kept.Manifest.Parents)
            {
                if (reasons.TryAdd(parent, $"{kept.Key.Kind} {kept.Key.Digest[..CataloguedArtifact.ShortLength]} was made from it"))
                    open.Enqueue(parent);
            }
        }
    }
}
