namespace Distill.Data.Storage;

/// <summary>
/// Makes a folder into an artefact: commits files one by one, then the manifest that names them. Until the manifest exists the
/// folder is unfinished and nobody reads it; a killed writer is simply run again. Not thread-safe.
/// </summary>
/// <param name="folder">Final folder; created when missing.</param>
/// <param name="kind">What the artefact is.</param>
/// <param name="stageVersion">Version of the code that makes it.</param>
/// <param name="parents">Digests of the artefacts it is made from.</param>
public sealed class ArtifactWriter(string folder, string kind, int stageVersion, IReadOnlyList<string>? parents = null)
{
    private readonly Dictionary<string, ArtifactFile> files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> facts = new(StringComparer.Ordinal);

    public string Folder { get; } = Path.GetFullPath(folder);

    internal ICommitHook? Hook { get; init; }

    /// <summary>Commits one file (see <see cref="CommittedFile"/>) under a name relative to the folder.</summary>
    public ArtifactFile Write(string name, Action<Stream> write, Func<Stream, long>? countRows = null) =>
        Remember(CommittedFile.Write(FullPath(name), write, countRows, Hook) with { Path = name });

    public ArtifactFile Write(string name, ReadOnlyMemory<byte> bytes) => Write(name, stream => stream.Write(bytes.Span));

    /// <summary>Takes in a file that lies in the folder already, e.g. one another library wrote there; flushes it to disk.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public ArtifactFile Add(string name, long? rows = null)
    {
        using var stream = new FileStream(FullPath(name), FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
        stream.Flush(flushToDisk: true);
        return Remember(new ArtifactFile(name, stream.Length, FileDigest.Of(stream), rows));
    }

    /// <summary>Adds a fact to the manifest.</summary>
    public void Fact(string name, string value) => facts[name] = value;

    /// <summary>Finishes the artefact. The same content as the newest manifest's is success and changes nothing.</summary>
    /// <param name="replace">Whether other content may take the place of a finished artefact (as its next manifest).</param>
    /// <exception cref="CommitConflictException">The folder holds another finished artefact and may not be replaced.</exception>
    public Artifact Commit(bool replace = false)
    {
        var manifest = new ArtifactManifest
        {
            Kind = kind,
            StageVersion = stageVersion,
            Parents = parents ?? [],
            Files = [.. files.Values],
            Facts = facts,
        };
        if (manifest.FindProblem() is { } problem) throw new InvalidOperationException($"Cannot commit '{Folder}': {problem}.");

        var newest = ManifestFile.Newest(Folder);
        bool next = newest is not null && replace && ManifestFile.Read(newest.Value.Path).Digest != manifest.Digest;
        int number = (newest?.Number ?? 1) + (next ? 1 : 0);
        byte[] bytes = manifest.ToBytes();
        CommittedFile.Write(ManifestFile.PathFor(Folder, number), stream => stream.Write(bytes), null, Hook);
        foreach (string? used in files.Keys.Select(name => Path.GetDirectoryName(FullPath(name))).Append(Folder).Distinct())
            TemporaryFile.RemoveLeftovers(used!);
        return Artifact.Open(Folder);
    }

    private ArtifactFile Remember(ArtifactFile file) => files[file.Path] = file;

    private string FullPath(string name)
    {
        if (!ArtifactManifest.IsInside(name)) throw new ArgumentException($"The path '{name}' leaves the folder or is not plain.", nameof(name));
        if (ManifestFile.IsManifest(name)) throw new ArgumentException($"'{name}' is a manifest's name.", nameof(name));
        return Path.Combine(Folder, name);
    }
}
