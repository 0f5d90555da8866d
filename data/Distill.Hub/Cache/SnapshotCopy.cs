using Distill.Storage;

namespace Distill.Hub.Cache;

/// <summary>Files of a snapshot as files of their own, in a folder that its owner may change.</summary>
internal static class SnapshotCopy
{
    /// <returns>Full path of the folder, or of the file where the reference names one.</returns>
    /// <exception cref="HubException">Files of these names have other content, and are not to be replaced; nothing was written.</exception>
    public static string CopyTo(HubSnapshot snapshot, string folder, bool replaces, CancellationToken cancellation)
    {
        folder = Path.GetFullPath(folder);
        bool isFile = File.Exists(snapshot.LocalPath);
        var copies = snapshot.Files.Select(file => RepositoryPath.From(file, snapshot.Reference.Path))
            .Select(name => (Source: isFile ? snapshot.LocalPath : Path.Combine(snapshot.LocalPath, name),
                Target: Path.Combine(folder, name)))
            .Where(copy => !IsSame(copy.Source, copy.Target)).ToList();
        if (!replaces && copies.FirstOrDefault(copy => File.Exists(copy.Target)) is { Target: { } taken })
        {
            throw new HubException(HubFault.NoPlace,
                $"'{Printable.Of(taken)}' has other content. Give another folder with --to, or --force to replace what is there.");
        }

        foreach (var (source, target) in copies)
        {
            cancellation.ThrowIfCancellationRequested();
            RequireFolder(folder, Path.GetDirectoryName(target)!);
            ReplacedFile.Write(target, stream =>
            {
                using var content = File.OpenRead(source);
                content.CopyTo(stream, 1 << 20);
            });
        }

        return isFile ? Path.Combine(folder, Path.GetFileName(snapshot.Reference.Path)) : folder;
    }

    // A link in the target's folder could lead a file anywhere.
    private static void RequireFolder(string root, string folder)
    {
        Directory.CreateDirectory(folder);
        for (string at = folder; at.Length > root.Length; at = Path.GetDirectoryName(at)!)
        {
            if (new DirectoryInfo(at).LinkTarget is not null)
                throw new HubException(HubFault.NoPlace, $"'{Printable.Of(at)}' is a link to another folder: nothing is written through "
                    + "it.");
        }
    }

    private static bool IsSame(string source, string target) => File.Exists(target)
        && ContainedPath.LengthOf(source) == ContainedPath.LengthOf(target) && FileDigest.OfFile(source) == FileDigest.OfFile(target);
}
