using Distill.Data.Storage;

namespace Distill.Pipeline.Promotions;

/// <summary>Files of the store in a second place: one file with two names where both lie on one file system, else a copy.</summary>
internal static class PlacedFiles
{
    /// <summary>Takes a file in. Its folder is made; the name must be free.</summary>
    public static void Take(string source, string target)
    {
        string folder = Path.GetDirectoryName(target)!;
        Directory.CreateDirectory(folder);
        if (AreTogether(source, folder))
        {
            if (!NativeFile.LinkExclusively(source, target)) throw new IOException($"'{target}' exists already.");
            return;
        }

        using var from = new FileStream(source, FileMode.Open, FileAccess.Read, FileShare.Read);
        using var to = new FileStream(target, FileMode.CreateNew, FileAccess.Write, FileShare.None);
        from.CopyTo(to);
        to.Flush(flushToDisk: true);
    }

    /// <summary>Takes in everything of a folder, whatever lies how deep.</summary>
    public static void TakeFolder(string source, string target)
    {
        foreach (string path in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            Take(path, Path.Combine(target, Path.GetRelativePath(source, path)));
    }

    /// <summary>Makes the names in a folder and in those below it survive a power failure.</summary>
    public static void Sync(string folder)
    {
        foreach (string below in Directory.EnumerateDirectories(folder, "*", SearchOption.AllDirectories)) NativeFile.SyncFolder(below);
        NativeFile.SyncFolder(folder);
    }

    // Files of links are meant themselves; where the system cannot tell, a copy is never wrong.
    private static bool AreTogether(string source, string folder) =>
        NativeFile.Status(source) is { } file && NativeFile.Status(folder) is { } place && file.Device == place.Device;
}
