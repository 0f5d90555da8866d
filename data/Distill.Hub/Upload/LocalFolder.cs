using Distill.Hub.Download;
using Distill.Hub.Network;
using Distill.Storage;

namespace Distill.Hub.Upload;

/// <summary>A file to be pushed. Its digests are computed when they are asked for, once. One thread at a time.</summary>
/// <param name="path">In the repository.</param>
/// <param name="source">Full path on this machine; of a cache's link, what it leads to.</param>
internal sealed class LocalFile(string path, string source, long size)
{
    private const int SampleSize = 512;

    private string? sha256, blob;

    public string Path => path;

    public string Source => source;

    public long Size => size;

    public string Sha256 => sha256 ??= FileDigest.OfFile(source);

    /// <summary>What the Hub looks at to tell text from other files.</summary>
    public byte[] Sample()
    {
        using var file = File.OpenHandle(source);
        byte[] sample = new byte[SampleSize];
        return sample[..RandomAccess.Read(file, sample, 0)];
    }

    public bool Equals(HubFile remote) => remote.Size == size && (remote.Sha256 is { } digest ? digest == Sha256 : remote.BlobId == Blob());

    /// <summary>The content from a position on, exactly as long as asked for.</summary>
    /// <exception cref="IOException">It is shorter: somebody changes the file.</exception>
    public async Task CopyAsync(Stream target, long from, long length, Action<long> copied, CancellationToken cancellation)
    {
        await using var stream = new FileStream(source, FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.Asynchronous);
        stream.Position = from;
        byte[] buffer = GC.AllocateUninitializedArray<byte>((int)Math.Clamp(length, 1, 1 << 20));
        for (long left = length; left > 0;)
        {
            int read = await stream.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, left)), cancellation).ConfigureAwait(false);
            if (read == 0) throw new IOException($"'{source}' was changed while it was sent. Push it again when nobody writes to it.");
            await target.WriteAsync(buffer.AsMemory(0, read), cancellation).ConfigureAwait(false);
            copied(read);
            left -= read;
        }
    }

    private string Blob()
    {
        if (blob is not null) return blob;
        using var digest = new BlobDigest(isGit: true, size);
        using var stream = new FileStream(source, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        byte[] buffer = new byte[1 << 16];
        int read;
        while ((read = stream.Read(buffer)) > 0) digest.Append(buffer.AsSpan(0, read));
        return blob = digest.Finish();
    }
}

/// <summary>The files of a folder that belong into a repository.</summary>
internal static class LocalFolder
{
    private const string Card = "README.md";

    private const int MostFiles = 100_000;

    // What tools keep beside their data; huggingface_hub leaves the same out.
    private static readonly string[] LeftOut = [".git", ".cache"];

    /// <param name="prefix">Folder in the repository that they go to; empty for its root, where a card is required.</param>
    /// <returns>In the order of their paths.</returns>
    /// <exception cref="HubException">There is no card, nothing to push, or a link that leads out of the folder.</exception>
    public static IReadOnlyList<LocalFile> Read(string folder, string prefix, HubSelection selection)
    {
        folder = Path.GetFullPath(folder);
        if (!Directory.Exists(folder)) throw Refused($"There is no folder '{folder}'{(File.Exists(folder) ? ": it is a file" : "")}.");
        var files = new List<LocalFile>();
        foreach (string relative in Walk(folder, ""))
        {
            if (!selection.Wants(relative)) continue;
            string path = prefix.Length == 0 ? relative : $"{prefix}/{relative}";
            if (RepositoryPath.Fault(path) is { } fault) throw Refused($"'{folder}' has a file {Printable.Quote(relative)} that {fault}; "
                + "rename it.");
            string source = SourceOf(folder, relative);
            files.Add(new LocalFile(path, source, ContainedPath.LengthOf(source)));
            if (files.Count > MostFiles) throw Refused($"'{folder}' has more than {MostFiles:N0} files, which the Hub does not take; pack "
                + "them.");
        }

        if (files.Count == 0) throw Refused($"'{folder}' has no file to push.");
        if (prefix.Length == 0 && !File.Exists(Path.Combine(folder, Card)))
            throw Refused($"'{folder}' has no {Card}: nobody could tell what it is. Write a card (what it is, its licence, how it was "
                + "made); exports have one.");
        return [.. files.OrderBy(file => file.Path, StringComparer.Ordinal)];
    }

    private static IEnumerable<string> Walk(string folder, string within)
    {
        foreach (var entry in new DirectoryInfo(Path.Combine(folder, within)).EnumerateFileSystemInfos())
        {
            string relative = within.Length == 0 ? entry.Name : $"{within}/{entry.Name}";
            bool isLeftover = entry.Name.StartsWith('.') && entry.Name.EndsWith(".tmp", StringComparison.Ordinal);
            if (LeftOut.Contains(entry.Name) || isLeftover) continue;
            if (entry is not DirectoryInfo) yield return relative;
            else if (entry.LinkTarget is not null) throw Refused($"'{folder}' has a link {Printable.Quote(relative)} to another folder; "
                + "copy what it leads to.");
            else
            {
                foreach (string inner in Walk(folder, relative)) yield return inner;
            }
        }
    }

    // A link could carry anything of this machine into the open; only those of huggingface_hub's cache are followed.
    private static string SourceOf(string folder, string relative)
    {
        var file = new FileInfo(Path.Combine(folder, relative));
        if (file.LinkTarget is null) return file.FullName;
        try
        {
            return ContainedPath.Resolve(folder, relative, folder);
        }
        catch (InvalidDataException fault)
        {
            throw Refused(fault.Message);
        }
    }

    private static HubException Refused(string message) => new(HubFault.Refused, message);
}
