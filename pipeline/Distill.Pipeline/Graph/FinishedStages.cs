using Distill.Pipeline.Runs;
using Distill.Storage;

namespace Distill.Pipeline.Graph;

/// <summary>A stage of this run that is finished, with the digests of what it was made from, by name.</summary>
internal sealed record FinishedStage(IStage Stage, Artifact Artifact, StageOutcome Outcome, IReadOnlyDictionary<string, string> Inputs)
{
    public StageDeclaration Declaration => Stage.Declaration;
}

/// <param name="Reason">Why, in words.</param>
internal sealed record StageOutcome(Reporting.StageState State, string Reason);

/// <summary>Finds what is finished: the artefact that a run links to, or another of the same key in the store.</summary>
/// <param name="useOtherRuns">Whether what other runs made may be taken.</param>
internal sealed class FinishedStages(RunFolder folder, ArtifactStore store, bool useOtherRuns)
{
    public ArtifactStore Store => store;

    public bool UsesOtherRuns => useOtherRuns;

    public static StoreKey KeyOf(IStage stage, StageKey key) => new(stage.Declaration.Kind, key.Digest);

    public static string SummaryOf(Artifact artifact) => artifact.Manifest.Facts.GetValueOrDefault(StageKey.SummaryFact, "");

    /// <summary>What the run links to for a stage, whatever it was made from; null when that is nothing whole.</summary>
    public StoredArtifact? Linked(IStage stage) =>
        folder.LinkOf(stage.Declaration.Folder) is { } place ? store.Peek(place.Key, place.Version) : null;

    /// <summary>The artefact of a key, whole and unchanged, and why it need not be made.</summary>
    /// <param name="damaged">Told what was damaged and set aside; null only looks.</param>
    public (StoredArtifact Stored, string Reason)? Find(IStage stage, StageKey key, Action<string>? damaged)
    {
        var wanted = KeyOf(stage, key);
        if (folder.LinkOf(stage.Declaration.Folder) is { } own && own.Key == wanted)
        {
            var same = damaged is null ? store.Peek(wanted, own.Version) : store.Open(wanted, own.Version, damaged);
            if (same is not null) return (same, "unchanged");
        }

        if (!useOtherRuns) return null;
        return (damaged is null ? store.Peek(wanted) : store.Find(wanted, damaged)) is { } other ? (other, "made before") : null;
    }

    /// <summary>What a run would find, without touching anything: as <see cref="Find"/>, and what the shared store would give.</summary>
    public (StoredArtifact Stored, string Reason)? Foresee(IStage stage, StageKey key) =>
        Find(stage, key, damaged: null) is { } here ? here
        : useOtherRuns && store.Foresee(KeyOf(stage, key), CancellationToken.None) is { } there
            ? (there, $"made before, from {store.Shared!.Place}") : null;

    /// <summary>Why a stage has to be done, in words.</summary>
    public string ReasonToRun(IStage stage, StageKey key)
    {
        string work = store.WorkFolder(KeyOf(stage, key));
        if (Directory.Exists(work) && Directory.EnumerateFileSystemEntries(work).Any())
            return stage.Continuation(work) is { } place ? $"continues at {place}" : "continues";
        return Linked(stage) is { } old && old.Key.Digest != key.Digest
            ? key.Difference(old.Artifact.Manifest.Facts.GetValueOrDefault(StageKey.TextFact))
            : "not done yet";
    }
}
