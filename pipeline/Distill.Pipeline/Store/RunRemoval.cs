using Distill.Pipeline.Runs;

namespace Distill.Pipeline.Store;

/// <summary>What the removal of a run takes, and what it leaves.</summary>
/// <param name="Freed">Artefacts that no other run uses and that are not pinned: <c>artefacts gc</c> may remove them afterwards.</param>
/// <param name="Links">How many links into the store it has.</param>
internal sealed record RunRemoval(RunFolder Folder, IReadOnlyList<CataloguedArtifact> Freed, int Links)
{
    public long FreedBytes => Freed.Sum(artifact => artifact.Entry.Bytes);

    /// <summary>Looks; removes nothing.</summary>
    /// <exception cref="RunRefusedException">There is no such run, some process works on it, workers have it, or it is one of an earlier
    /// version.</exception>
    public static RunRemoval Plan(string runsFolder, string name, TimeProvider clock)
    {
        var folder = RunCatalogue.Require(runsFolder, name);
        if (RunState.TryRead(folder.Path) is null)
            throw new RunRefusedException($"'{folder.Path}' is a run of an earlier version, whose results lie in its own folder beside "
                + $"whatever else is "
                + "there: only you know what of it may go. Remove the folder yourself.");
        folder.RequireNotWithWorkers();
        if (folder.IsLocked()) throw new RunRefusedException($"The run '{name}' is being worked on. End that first.");
        var used = ArtifactCatalogue.Read(runsFolder, clock).Of(name);
        return new(folder, [.. used.Where(item => !item.IsPinned && item.Uses.All(use => use.Run == name))], folder.Links().Count);
    }

    /// <inheritdoc cref="RunFolder.Remove"/>
    public IReadOnlyList<string> Remove() => Folder.Remove();
}
