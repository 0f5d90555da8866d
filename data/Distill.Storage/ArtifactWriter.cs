using System.Text;
using System.Text.Json;
using Distill.Storage.Objects;

namespace Distill.Storage;

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
    private readonly WorkLog log = new(Path.GetFullPath(folder));

    public string Folder { get; } = Path.GetFullPath(folder);

    internal ICommitHook? Hook { get; init; }

    /// <summary>Where parts are exchanged with other machines; null where they are not.</summary>
    internal IPartExchange? Parts { get; init; }

    /// <summary>Commits one file (see <see cref="CommittedFile"/>) under a name relative to the folder.</summary>
    /// <exception cref="CommitConflictException">A finished artefact holds other content under that name.</exception>
    public ArtifactFile Write(string name, Action<Stream> write, Func<Stream, long>? countRows = null)
    {
        string path = FullPath(name);
        try
        {
            return Remember(CommittedFile.Write(path, write, countRows, Hook) with { Path = name });
        }
        catch (CommitConflictException) when (ManifestFile.Newest(Folder) is null)
        {
            SetAside.File(path); // what an interrupted writer left, damaged or made on another processor: no manifest names it
            return Remember(CommittedFile.Write(path, write, countRows, Hook) with { Path = name });
        }
    }

    /// <summary>Commits a file that may be taken again when the work is continued: see <see cref="TryTake"/>.</summary>
    internal ArtifactFile WritePart(string name, Action<Stream> write, Func<Stream, long>? countRows = null)
    {
        var file = Write(name, write, countRows);
        log.Add(file, Hook);
        return Exchanged(file);
    }

    /// <summary>
    /// A part that an interrupted writer committed, or another machine, its content checked. One that is not what was written is set aside.
    /// </summary>
    /// <param name="damaged">Told the place of what was set aside.</param>
    /// <returns>Null when there is none: it has to be made.</returns>
    internal ArtifactFile? TryTake(string name, Action<string> damaged)
    {
        string path = FullPath(name);
        if (!File.Exists(path)) return Brought(name);
        var known = log.Find(name);
        if (known is not null && new FileInfo(path).Length == known.Bytes && FileDigest.OfFile(path) == known.Sha256)
            return Exchanged(Remember(known));
        string aside = SetAside.File(path);
        if (known is not null) damaged(aside); // without a line in the log it is a part that a kill cut off from it
        return Brought(name);
    }

    /// <summary>
    /// Takes over the parts of other unfinished work on the same artefact, each content checked, without a copy of their bytes. What is
    /// here already stays.
    /// </summary>
    /// <param name="damaged">Told the path of a part that is not what was written; it has to be made.</param>
    internal void Join(string folder, Action<string> damaged)
    {
        foreach (var file in new WorkLog(folder).Files.Where(file => log.Find(file.Path) is null))
        {
            string source = Path.Combine(folder, file.Path), path = FullPath(file.Path);
            if (!File.Exists(source)) continue;
            if (new FileInfo(source).Length != file.Bytes || FileDigest.OfFile(source) != file.Sha256)
            {
                damaged(source);
                continue;
            }

            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            if (File.Exists(path)) SetAside.File(path); // no line vouches for it
            if (OperatingSystem.IsWindows()) File.Copy(source, path);
            else if (!NativeFile.LinkExclusively(source, path)) throw new IOException($"'{path}' exists already.");
            NativeFile.SyncFolder(Path.GetDirectoryName(path)!);
            log.Add(file, Hook);
        }
    }

    /// <summary>Leaves a part out of the artefact: it was only needed to make it.</summary>
    internal void Forget(string name) => files.Remove(name);

    /// <summary>Takes in a file of another artefact without a copy of its bytes: both names are one file from then on.</summary>
    /// <exception cref="IOException">The name is taken, or the file lies on another file system.</exception>
    internal ArtifactFile Link(string name, string source, ArtifactFile known)
    {
        string path = FullPath(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.Delete(path);
        if (OperatingSystem.IsWindows()) File.Copy(source, path);
        else if (!NativeFile.LinkExclusively(source, path)) throw new IOException($"'{path}' exists already.");
        return Remember(known with { Path = name });
    }

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
        byte[] bytes = manifest.ToFile();
        CommittedFile.Write(ManifestFile.PathFor(Folder, number), stream => stream.Write(bytes), null, Hook);
        foreach (string? used in files.Keys.Select(name => Path.GetDirectoryName(FullPath(name))).Append(Folder).Distinct())
            TemporaryFile.RemoveLeftovers(used!);
        return Artifact.Open(Folder);
    }

    // What was given first counts for all, or two machines would join different parts.
    private ArtifactFile Exchanged(ArtifactFile file)
    {
        string path = FullPath(file.Path);
        if (Parts?.TryGive(file, path) is not false) return file;
        string aside = SetAside.File(path);
        if (Brought(file.Path) is { } brought) return brought;
        File.Move(aside, path); // theirs turned out to be damaged: ours takes its place
        return Parts.TryGive(file, path) ? Remember(file)
            : throw new IOException($"'{path}': another machine gave this part, and its content cannot be had. Continue the run.");
    }

    private ArtifactFile? Brought(string name)
    {
        string path = FullPath(name), folder = Path.GetDirectoryName(path)!;
        string fresh = Path.Combine(folder, $".{Path.GetFileName(path)}.brought"); // a piece of it may lie there from before
        if (Parts?.TryBring(name, fresh) is not { } brought) return null;
        if (OperatingSystem.IsWindows()) File.Copy(fresh, path);
        else if (!NativeFile.LinkExclusively(fresh, path)) throw new IOException($"'{path}' exists already.");
        File.Delete(fresh);
        NativeFile.SyncFolder(folder);
        log.Add(brought, Hook);
        return Remember(brought);
    }

    private ArtifactFile Remember(ArtifactFile file) => files[file.Path] = file;

    private string FullPath(string name)
    {
        if (!ArtifactManifest.IsInside(name))
            throw new ArgumentException($"The path '{name}' leaves the folder or is not plain.", nameof(name));
        if (ManifestFile.IsManifest(name)) throw new ArgumentException($"'{name}' is a manifest's name.", nameof(name));
        return Path.Combine(Folder, name);
    }
}

/// <summary>
/// Digests of the parts of unfinished work, a line each with a checksum of its own: what a manifest is to finished work.
/// A damaged line is none, so its part is made again.
/// </summary>
internal sealed class WorkLog(string folder)
{
    public const string Name = ".work.jsonl";

    private const int ChecksumLength = 16;

    private Dictionary<string, ArtifactFile>? known;

    /// <summary>Parts that were committed.</summary>
    public int Count => (known ??= Read()).Count;

    public IReadOnlyCollection<ArtifactFile> Files => (known ??= Read()).Values;

    public ArtifactFile? Find(string name) => (known ??= Read()).GetValueOrDefault(name);

    public void Add(ArtifactFile file, ICommitHook? hook = null)
    {
        (known ??= Read())[file.Path] = file;
        string text = JsonSerializer.Serialize(file), path = Path.Combine(folder, Name);
        hook?.Before(CommitStep.LogPart, path);
        using var stream = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
        bool isNew = stream.Position == 0;
        string lineEnd = isNew ? "" : "\n"; // a line that a kill cut off stays alone
        stream.Write(Encoding.UTF8.GetBytes($"{lineEnd}{Checksum(text)} {text}"));
        hook?.Before(CommitStep.FlushLog, path);
        stream.Flush(flushToDisk: true);
        if (!isNew) return;
        hook?.Before(CommitStep.SyncFolder, path);
        NativeFile.SyncFolder(folder); // or a power failure could lose the log, and with it every part that only it vouches for
    }

    private Dictionary<string, ArtifactFile> Read()
    {
        var read = new Dictionary<string, ArtifactFile>(StringComparer.Ordinal);
        string path = Path.Combine(folder, Name);
        if (!File.Exists(path)) return read;
        foreach (string line in File.ReadLines(path)
            .Where(line => line.Length > ChecksumLength && Checksum(line[(ChecksumLength + 1)..]) == line[..ChecksumLength]))
        {
            var file = JsonSerializer.Deserialize<ArtifactFile>(line[(ChecksumLength + 1)..])!;
            read[file.Path] = file;
        }

        return read;
    }

    private static string Checksum(string text) => FileDigest.Of(Encoding.UTF8.GetBytes(text))[..ChecksumLength];
}

/// <summary>
/// Damaged work goes aside under another name, never away: somebody may want to look at it. <c>artefacts gc</c> removes it.
/// </summary>
internal static class SetAside
{
    public const string Mark = ".damaged";

    /// <returns>The new name.</returns>
    public static string File(string path)
    {
        string aside = Free(path);
        System.IO.File.Move(path, aside);
        return aside;
    }

    /// <inheritdoc cref="File"/>
    public static string Folder(string path)
    {
        string aside = Free(path);
        Directory.Move(path, aside);
        return aside;
    }

    private static string Free(string path)
    {
        for (int i = 1; ; i++)
        {
            string aside = i == 1 ? path + Mark : $"{path}{Mark}-{i}";
            if (!System.IO.File.Exists(aside) && !Directory.Exists(aside)) return aside;
        }
    }
}
