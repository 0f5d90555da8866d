namespace Distill.Storage;

/// <summary>
/// Paths that a file names must stay in the folder they are relative to, links included. One kind of link is followed: in the cache of
/// huggingface_hub a file of <c>models--owner--name/snapshots/revision/</c> is a link to a file right in <c>models--owner--name/blobs/</c>.
/// </summary>
internal static class ContainedPath
{
    private const string Snapshots = "snapshots", Blobs = "blobs";

    private static readonly string[] Cached = ["models--", "datasets--"];

    /// <param name="folder">Full path of the folder; may itself be a link.</param>
    /// <param name="relative">What the file says, with slashes.</param>
    /// <param name="saidBy">File and key, for the message.</param>
    /// <returns>Full path of an existing file, below the folder; it may be a link of the kind above.</returns>
    /// <exception cref="InvalidDataException">
    /// The path is absolute, leaves the folder, passes through another link or names no file.
    /// </exception>
    public static string Resolve(string folder, string relative, string saidBy)
    {
        if (relative.Length == 0 || Path.IsPathRooted(relative) || relative.Any(c => c is '\\' or ':' || char.IsControl(c)))
            throw new InvalidDataException($"{saidBy}: {Printable.Quote(relative)} must be a path relative to its folder.");
        string current = folder;
        string[] parts = relative.Split('/');
        for (int i = 0; i < parts.Length; i++)
        {
            if (parts[i] is "" or "." or "..")
                throw new InvalidDataException($"{saidBy}: {Printable.Quote(relative)} must not contain empty, '.' or '..' parts.");
            current = Path.Combine(current, parts[i]);
            FileSystemInfo info = Directory.Exists(current) ? new DirectoryInfo(current) : new FileInfo(current);
            if (info.LinkTarget is { } target && !(i == parts.Length - 1 && IsBlob(folder, current, target)))
            {
                throw new InvalidDataException($"{saidBy}: {Printable.Quote(relative)} passes through a symbolic link that leaves the "
                    + "folder, and not into the "
                    + $"'{Blobs}' of its own Hugging Face cache; copy the file into the folder instead.");
            }
        }

        return File.Exists(current) ? current : throw new InvalidDataException(Printable.Of($"{saidBy}: {current} does not exist."));
    }

    /// <summary>
    /// Bytes of a file; of a link, those of the file that it leads to, where <see cref="FileInfo"/> gives the length of the link's text.
    /// </summary>
    public static long LengthOf(string path)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return RandomAccess.GetLength(file);
    }

    /// <summary>
    /// Whether a link's target lies right in the blobs of the cache that the folder is a snapshot of, and is a file, not another link.
    /// </summary>
    private static bool IsBlob(string folder, string link, string target)
    {
        if (CacheOf(folder) is not { } cache) return false;
        string path = Path.GetFullPath(target, RealFolder(Path.GetDirectoryName(link)!));
        var blobs = new DirectoryInfo(Path.Combine(cache, Blobs));
        return Path.GetDirectoryName(path) == blobs.FullName && blobs is { Exists: true, LinkTarget: null }
            && new FileInfo(path) is { Exists: true, LinkTarget: null };
    }

    /// <summary>
    /// The <c>models--…</c> or <c>datasets--…</c> folder whose snapshot, or a folder within one, this is; null for any other folder.
    /// </summary>
    private static string? CacheOf(string folder)
    {
        for (var at = new DirectoryInfo(RealFolder(folder)); at.Parent is { } parent; at = parent)
        {
            if (parent.Name == Snapshots && parent.Parent is { } cache
                && Cached.Any(kind => cache.Name.StartsWith(kind, StringComparison.Ordinal))) return cache.FullName;
        }

        return null;
    }

    /// <summary>The folder, or where it leads to when it is a link.</summary>
    private static string RealFolder(string folder) => Directory.ResolveLinkTarget(folder, returnFinalTarget: true)?.FullName ?? folder;
}
