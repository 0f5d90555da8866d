using Distill.Pipeline.Runs;
using Distill.Storage;

namespace Distill.Pipeline.Store;

/// <param name="KeptBecause">In words; null for what is removed.</param>
internal sealed record Retention(CataloguedArtifact Artifact, string? KeptBecause)
{
    public bool IsKept => KeptBecause is not null;
}

/// <summary>
/// Removes from a store what nobody refers to: no run links to it, nothing that is kept was made from it, it is not pinned, nobody is
/// making it, and it is older than a limit. Unfinished and damaged work goes by the same rules. Nothing else is ever touched.
/// </summary>
internal sealed class GarbageCollection(string runsFolder, TimeSpan limit, TimeProvider clock)
{
    /// <summary>What would be removed and what not, and why. Changes nothing.</summary>
    public IReadOnlyList<Retention> Plan() => Decide(ArtifactCatalogue.Read(runsFolder, clock));

    /// <exception cref="RunRefusedException">Some run works in this folder.</exception>
    public void RequireIdle()
    {
        if (Directory.Exists(StorePath)) Close().Dispose();
    }

    /// <summary>
    /// Removes what was shown and is still to be removed: between showing and removing, a run may have come and taken some of it.
    /// </summary>
    /// <returns>What was removed.</returns>
    /// <exception cref="RunRefusedException">Some run works in this folder; nothing was removed.</exception>
    /// <exception cref="OperationCanceledException">What was removed before is gone; what was not is whole.</exception>
    public IReadOnlyList<CataloguedArtifact> Remove(IEnumerable<CataloguedArtifact> shown, CancellationToken cancellation)
    {
        using var closed = Close();
        var catalogue = ArtifactCatalogue.Read(runsFolder, clock);
        var agreed = shown.Select(artifact => artifact.Entry.Folder).ToHashSet(StringComparer.Ordinal);
        var removed = new List<CataloguedArtifact>();
        foreach (var artifact in Decide(catalogue).Where(item => !item.IsKept).Select(item => item.Artifact))
        {
            if (!agreed.Contains(artifact.Entry.Folder)) continue;
            cancellation.ThrowIfCancellationRequested();
            catalogue.Store.Remove(artifact.Entry);
            removed.Add(artifact);
        }

        catalogue.Store.RemoveWaste(clock.GetUtcNow() - limit);
        return removed;
    }

    private string StorePath => Path.Combine(Path.GetFullPath(runsFolder), ArtifactStore.FolderName);

    private FileLock Close() => new ArtifactStore(StorePath, clock).TryClose() ?? throw new RunRefusedException(
        $"A run is working in {Path.GetFullPath(runsFolder)}, or another 'artefacts gc' is. Nothing was removed; try again when it has "
            + $"ended. "
        + "'distill runs ls' shows which; --dry-run works meanwhile.");

    private IReadOnlyList<Retention> Decide(ArtifactCatalogue catalogue)
    {
        var reasons = catalogue.Items.ToDictionary(item => item, OwnReason);
        KeepAncestors(catalogue, reasons);
        return [.. catalogue.Items.Select(item => new Retention(item, reasons[item]))];
    }

    private string? OwnReason(CataloguedArtifact item) => item switch
    {
        { Uses: [var use, ..] } => $"used by {use.Run}/{use.Link}",
        { IsPinned: true } => "pinned",
        { IsBeingMade: true } => "being made",
        _ when clock.GetUtcNow() - item.Entry.Changed < limit => $"younger than {limit.TotalDays:0.##} days",
        _ => null,
    };

    // Of several artefacts with one digest (made again on demand, and equal) one is enough.
    private static void KeepAncestors(ArtifactCatalogue catalogue, Dictionary<CataloguedArtifact, string?> reasons)
    {
        var open = new Queue<CataloguedArtifact>(catalogue.Items.Where(item => reasons[item] is not null));
        var byDigest = catalogue.Items.Where(item => item.Digest is not null && item.Entry.Key is not null).ToLookup(item => item.Digest!);
        while (open.TryDequeue(out var kept))
        {
            foreach (string parent in kept.Entry.Manifest?.Parents ?? [])
            {
                CataloguedArtifact[] equal = [.. byDigest[parent]
                    .OrderByDescending(item => item.IsFinished).ThenByDescending(item => item.Entry.Version)];
                if (equal.Length == 0 || equal.Any(item => reasons[item] is not null && item.IsFinished)) continue;
                if (reasons[equal[0]] is not null) continue;
                reasons[equal[0]] = $"{kept.Name} {kept.Reference} was made from it";
                open.Enqueue(equal[0]);
            }
        }
    }
}
