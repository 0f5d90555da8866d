using Distill.Data.Storage;

namespace Distill.Pipeline.Runs;

/// <summary>Finds finished artefacts of a key: in the run itself, or in other runs of the same folder.</summary>
internal sealed class FinishedStages(RunFolder folder, bool useOtherRuns)
{
    /// <summary>Whether what other runs made may be taken.</summary>
    public bool UsesOtherRuns => useOtherRuns;

    /// <summary>The run's own artefact of a stage, whatever it was made from; null when there is none that is whole.</summary>
    public Artifact? Own(IStage stage) => TryOpen(folder.Inside(stage.Folder));

    /// <summary>An artefact of this key in another run, whole and unchanged.</summary>
    public (string Run, Artifact Artifact)? Elsewhere(IStage stage, StageKey key)
    {
        if (!useOtherRuns || !Directory.Exists(folder.RunsPath)) return null;
        foreach (string run in Directory.EnumerateDirectories(folder.RunsPath).Order(StringComparer.Ordinal))
        {
            if (Path.GetFileName(run) == folder.Name) continue;
            if (TryOpen(Path.Combine(run, stage.Folder)) is { } found && KeyOf(found) == key.Digest && found.Verify().Count == 0)
                return (Path.GetFileName(run), found);
        }

        return null;
    }

    public static string? KeyOf(Artifact artifact) => artifact.Manifest.Facts.GetValueOrDefault(StageKey.DigestFact);

    public static string SummaryOf(Artifact artifact) => artifact.Manifest.Facts.GetValueOrDefault(StageKey.SummaryFact, "");

    /// <summary>Copies another run's artefact; null when that run takes it away meanwhile.</summary>
    public static Artifact? TryImport(Artifact source, string target)
    {
        try
        {
            Artifact.Remove(target);
            return Import(source, target);
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException or InvalidDataException)
        {
            return null;
        }
    }

    // File by file with digests checked; both have the same digest afterwards.
    private static Artifact Import(Artifact source, string target)
    {
        var writer = new ArtifactWriter(target, source.Manifest.Kind, source.Manifest.StageVersion, source.Manifest.Parents);
        foreach (var file in source.Manifest.Files)
        {
            string from = source.PathOf(file.Path), to = Path.Combine(target, file.Path);
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(from, to, overwrite: true);
            writer.Add(file.Path, file.Rows);
        }

        foreach (var (name, value) in source.Manifest.Facts) writer.Fact(name, value);
        var copy = writer.Commit();
        return copy.Digest == source.Digest ? copy : throw new InvalidDataException($"'{source.Folder}' changed while it was copied to '{target}'.");
    }

    // A damaged manifest is nobody's finished artefact; the stage is done again.
    private static Artifact? TryOpen(string path)
    {
        try
        {
            return Artifact.TryOpen(path);
        }
        catch (Exception fault) when (fault is InvalidDataException or IOException)
        {
            return null;
        }
    }
}
