using System.Collections.Concurrent;

namespace Distill.Storage;

/// <summary>
/// A finished folder as its newest manifest describes it. Files it does not name do not exist for readers, and no file is
/// handed out before its digest has been checked once. Thread-safe; holds nothing open.
/// </summary>
public sealed class Artifact
{
    private readonly Dictionary<string, ArtifactFile> files;
    private readonly ConcurrentDictionary<string, bool> verified = new(StringComparer.Ordinal);

    private readonly DigestMemory? memory;

    private Artifact(string folder, ArtifactManifest manifest, DigestMemory? memory)
    {
        Folder = folder;
        this.memory = memory;
        Manifest = manifest;
        Digest = manifest.Digest;
        files = manifest.Files.ToDictionary(file => file.Path, StringComparer.Ordinal);
    }

    public string Folder { get; }

    public ArtifactManifest Manifest { get; }

    /// <inheritdoc cref="ArtifactManifest.Digest"/>
    public string Digest { get; }

    /// <summary>Whether its files are elsewhere: only what the manifest says can be asked.</summary>
    internal bool IsForeseen { get; private init; }

    /// <summary>Opens what the newest manifest of a folder names; null when the folder holds no finished artefact.</summary>
    /// <exception cref="InvalidDataException">The newest manifest is damaged.</exception>
    public static Artifact? TryOpen(string folder) => TryOpen(folder, null);

    /// <param name="memory">Knows the digests of files that did not change; null reads every file.</param>
    internal static Artifact? TryOpen(string folder, DigestMemory? memory) =>
        ManifestFile.Newest(folder) is { } newest ? new Artifact(folder, ManifestFile.Read(newest.Path), memory) : null;

    /// <summary>One that is not here, but may be brought.</summary>
    internal static Artifact Foreseen(string folder, ArtifactManifest manifest) => new(folder, manifest, null) { IsForeseen = true };

    /// <exception cref="InvalidDataException">The folder holds no finished artefact, or a damaged one.</exception>
    public static Artifact Open(string folder) =>
        TryOpen(folder) ?? throw new InvalidDataException($"'{folder}' holds no finished artefact: it has no manifest.");

    /// <summary>Deletes a folder so that it is never half an artefact: the manifests go first, then the rest.</summary>
    public static void Remove(string folder)
    {
        if (!Directory.Exists(folder)) return;
        while (ManifestFile.Newest(folder) is { } newest) File.Delete(newest.Path);
        NativeFile.SyncFolder(folder);
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>Full path of a named file, whose content is compared with the manifest the first time it is asked for.</summary>
    /// <exception cref="InvalidDataException">The manifest does not name it, or the content is not what was committed.</exception>
    public string PathOf(string file)
    {
        if (!files.TryGetValue(file, out var entry))
        {
            throw new InvalidDataException(
                $"The artefact in '{Folder}' has no file '{file}'; it has {string.Join(", ", files.Keys.Order().Take(10))}.");
        }
        if (verified.ContainsKey(file)) return FullPath(entry);
        if (FindFault(entry) is { } fault) throw new InvalidDataException(fault);
        verified[file] = true;
        return FullPath(entry);
    }

    /// <summary>Reads every file and compares it with the manifest, whether or not that was done before.</summary>
    /// <returns>One sentence for each fault; empty when all is well.</returns>
    public IReadOnlyList<string> Verify() =>
        [.. Manifest.Files.Select(file => FindFault(file, memory is null ? FileDigest.OfFile : memory.Reread)).OfType<string>()];

    /// <summary>The same, but files that did not change since they were last read are taken by what is remembered of them.</summary>
    internal IReadOnlyList<string> VerifyChanged() => [.. Manifest.Files.Select(FindFault).OfType<string>()];

    private string FullPath(ArtifactFile file) => Path.Combine(Folder, file.Path);

    private string? FindFault(ArtifactFile file) => FindFault(file, memory is null ? FileDigest.OfFile : memory.Of);

    private string? FindFault(ArtifactFile file, Func<string, string> digestOf)
    {
        string path = FullPath(file);
        try
        {
            var info = new FileInfo(path);
            if (!info.Exists) return $"'{path}' is missing.";
            if (info.LinkTarget is not null) return $"'{path}' is a symbolic link.";
            if (info.Length != file.Bytes) return $"'{path}' has {info.Length} bytes; {file.Bytes} were committed.";
            string digest = digestOf(path);
            return digest == file.Sha256 ? null : $"'{path}' was changed: its sha256 is {digest}, {file.Sha256} was committed.";
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return $"'{path}' cannot be read: {fault.Message}";
        }
    }
}
