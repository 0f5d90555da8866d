using Distill.Pipeline.Runs;
using Distill.Storage;

namespace Distill.Pipeline.Store;

/// <param name="Faults">A sentence each; empty when all is well.</param>
internal sealed record VerifiedArtifact(CataloguedArtifact Artifact, IReadOnlyList<string> Faults);

/// <summary>
/// Reads every byte of artefacts and compares it with their manifests. Changes nothing but what is remembered of their files: the next run
/// notices the same damage, sets it aside and makes it again.
/// </summary>
internal sealed class StoreVerification(ArtifactCatalogue catalogue)
{
    /// <summary>Damage that a run found before, and works without.</summary>
    public static bool IsSetAside(CataloguedArtifact item) => item.Entry is { Key: null, State: StoreEntryState.Damaged };

    /// <param name="items">What is unfinished, being made or set aside is left out.</param>
    public IReadOnlyList<VerifiedArtifact> Run(
        IEnumerable<CataloguedArtifact> items, Action<StageProgress> progress, CancellationToken cancellation)
    {
        CataloguedArtifact[] all = [.. items.Where(item => !IsSetAside(item) && item.Entry.State != StoreEntryState.Unfinished)];
        double total = all.Sum(item => item.Entry.Bytes), done = 0;
        var verified = new List<VerifiedArtifact>();
        foreach (var item in all)
        {
            cancellation.ThrowIfCancellationRequested();
            verified.Add(new VerifiedArtifact(item, Faults(item)));
            done += item.Entry.Bytes;
            progress(new StageProgress(done / 1e6, total / 1e6, "MB", item.Name));
        }

        return verified;
    }

    private IReadOnlyList<string> Faults(CataloguedArtifact item)
    {
        try
        {
            return Artifact.TryOpen(item.Entry.Folder, catalogue.Store.Digests)?.Verify() ?? [$"'{item.Entry.Folder}' is gone."];
        }
        catch (InvalidDataException manifest)
        {
            return [manifest.Message];
        }
    }
}
