namespace Distill.Storage;

/// <summary>
/// A file that another process may remove at any moment. To ask whether it is there and then to read it fails for whoever is late; here
/// there is all of it, or none.
/// </summary>
internal static class OptionalFile
{
    /// <param name="most">Bytes; a longer file says nothing that is wanted.</param>
    /// <returns>All of it; null where it is not there, or is longer.</returns>
    /// <exception cref="IOException">It is there and cannot be read.</exception>
    public static byte[]? TryRead(string path, long most = int.MaxValue)
    {
        using var stream = TryOpen(path);
        if (stream is null || stream.Length > most) return null;
        byte[] content = new byte[stream.Length];
        int read = stream.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
        return read == content.Length ? content : content[..read];
    }

    /// <returns>Null where it is not there.</returns>
    /// <inheritdoc cref="TryRead" path="/exception"/>
    public static FileStream? TryOpen(string path)
    {
        if (!File.Exists(path)) return null; // the usual case, without the price of an exception
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            return null; // removed just now
        }
    }
}

/// <summary>The same of a folder: what was in it, or nothing where another process has removed it.</summary>
internal static class OptionalFolder
{
    /// <returns>Paths of the folders in it, links to folders among them, in ordinal order.</returns>
    public static IReadOnlyList<string> Folders(string path) => Entries(path, Directory.GetDirectories);

    /// <returns>Paths of the files in it, in ordinal order.</returns>
    public static IReadOnlyList<string> Files(string path, string pattern) => Entries(path, folder => Directory.GetFiles(folder, pattern));

    private static IReadOnlyList<string> Entries(string path, Func<string, string[]> read)
    {
        if (!Directory.Exists(path)) return [];
        try
        {
            return [.. read(path).Order(StringComparer.Ordinal)];
        }
        catch (DirectoryNotFoundException)
        {
            return []; // removed just now
        }
    }
}
