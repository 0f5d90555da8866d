using System.Text;
using Distill.Hub.Network;
using Distill.Storage;

namespace Distill.Hub.Cache;

/// <summary>
/// One repository in huggingface_hub's cache (hub-docs, "Hub local cache"): content in <c>blobs/</c>, named by its digest; a folder per
/// commit in <c>snapshots/</c> with links to it; <c>refs/</c> with the commit that a branch or a tag meant last. What Python put there
/// counts, and Python finds what is put here. Safe for threads and processes, Python's too: they take the same locks.
/// </summary>
internal sealed class HubCache
{
    private const string TagFile = "CACHEDIR.TAG";

    // By the specification of cache folders (bford.info/cachedir), so that backups leave them out.
    private const string Tag = "Signature: 8a477f597d28d172789f06886806bc55\n# This folder is a cache of huggingface_hub and of Distill.\n";

    private readonly HubOptions options;
    private readonly string repository;

    public HubCache(HubOptions options, HubReference what)
    {
        this.options = options;
        Folder = $"{what.KindWord}--{what.Owner}--{what.Name}";
        repository = Path.Combine(options.CacheFolder, Folder);
        Listings = new ListingFile(Path.Combine(repository, "trees"));
    }

    /// <summary>The repository's folder name.</summary>
    public string Folder { get; }

    public ListingFile Listings { get; }

    public string BlobOf(HubFile file) => Path.Combine(repository, "blobs", file.ETag);

    public string SnapshotOf(string commit) => Path.Combine(repository, "snapshots", commit);

    public string PointerOf(string commit, string path) => Path.Combine(SnapshotOf(commit), Path.Combine(path.Split('/')));

    /// <summary>Held by whoever writes a blob.</summary>
    public string LockOf(HubFile file) => Path.Combine(options.CacheFolder, ".locks", Folder, file.ETag + ".lock");

    /// <summary>The commit that a revision meant when it was last asked for.</summary>
    public string? CommitOf(string revision)
    {
        if (HubInterface.IsCommit(revision)) return revision;
        string path = Path.Combine(repository, "refs", Path.Combine(revision.Split('/')));
        if (OptionalFile.TryRead(path, 100) is not { } text) return null;
        return Encoding.UTF8.GetString(text).Trim() is var commit && HubInterface.IsCommit(commit) ? commit : null;
    }

    public void WriteRevision(string revision, string commit)
    {
        if (revision == commit || CommitOf(revision) == commit) return;
        string path = Path.Combine(repository, "refs", Path.Combine(revision.Split('/')));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        ReplacedFile.Write(path, Encoding.ASCII.GetBytes(commit));
    }

    /// <summary>
    /// Whether the file is here, under its name at the commit or as a blob that only lacks its name there. Lengths are compared: after a
    /// power failure a file of the right name may be short.
    /// </summary>
    public bool Has(string commit, HubFile file) => IsWhole(PointerOf(commit, file.Path), file) || IsWhole(BlobOf(file), file);

    /// <summary>Gives a blob its name at a commit. The caller holds its lock.</summary>
    public void Link(string commit, HubFile file)
    {
        string pointer = PointerOf(commit, file.Path), blob = BlobOf(file);
        Directory.CreateDirectory(Path.GetDirectoryName(pointer)!);
        string target = Path.GetRelativePath(Path.GetDirectoryName(pointer)!, blob);
        var existing = new FileInfo(pointer);
        if (existing.LinkTarget == target || (existing is { Exists: true, LinkTarget: null } && IsWhole(pointer, file))) return;
        if (existing.Exists || existing.LinkTarget is not null) File.Delete(pointer);
        if (options.UsesLinks && TryLink(pointer, target)) return;
        ReplacedFile.Write(pointer, stream =>
        {
            using var content = File.OpenRead(blob);
            content.CopyTo(stream, 1 << 20);
        });
    }

    /// <summary>The folder that is there after this may be written to.</summary>
    public void Prepare()
    {
        Directory.CreateDirectory(Path.Combine(repository, "blobs"));
        string tag = Path.Combine(options.CacheFolder, TagFile);
        if (!File.Exists(tag)) ReplacedFile.Write(tag, Encoding.ASCII.GetBytes(Tag));
    }

    /// <summary>Bytes that the disk of the cache can still take.</summary>
    public long FreeBytes() => new DriveInfo(Path.GetFullPath(options.CacheFolder)).AvailableFreeSpace;

    /// <summary>Files at a commit, whoever put them there, with slashes and in order; for commits whose listing is not kept.</summary>
    public IReadOnlyList<string> FilesAt(string commit)
    {
        string folder = SnapshotOf(commit);
        if (!Directory.Exists(folder)) return [];
        return
        [
            .. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(File.Exists)
                .Select(path => Path.GetRelativePath(folder, path).Replace(Path.DirectorySeparatorChar, '/')).Order(StringComparer.Ordinal),
        ];
    }

    // Links are followed, and a link to nothing is no file.
    public static bool IsWhole(string path, HubFile file) => File.Exists(path) && ContainedPath.LengthOf(path) == file.Size;

    // Windows lets few people make links; some file systems have none.
    private static bool TryLink(string pointer, string target)
    {
        try
        {
            File.CreateSymbolicLink(pointer, target);
            return true;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or PlatformNotSupportedException)
        {
            return new FileInfo(pointer).LinkTarget == target; // somebody made the same one
        }
    }
}
