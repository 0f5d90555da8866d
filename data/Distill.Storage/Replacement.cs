namespace Distill.Storage;

/// <summary>
/// The one way to replace a file: readers, and whoever comes after a kill or a power failure, find the old content or the new.
/// </summary>
internal static class ReplacedFile
{
    /// <exception cref="IOException">The disk refused; the old content stands.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        using var temporary = TemporaryFile.Create(path);
        temporary.Write(content);
        Finish(temporary, path);
    }

    /// <param name="write">Fills the (seekable) stream and leaves it open; what it throws leaves the old content.</param>
    /// <inheritdoc cref="Write(string, ReadOnlySpan{byte})"/>
    public static void Write(string path, Action<Stream> write)
    {
        using var temporary = TemporaryFile.Create(path);
        try
        {
            write(temporary);
        }
        catch
        {
            File.Delete(temporary.Name);
            throw;
        }

        Finish(temporary, path);
    }

    private static void Finish(FileStream temporary, string path)
    {
        temporary.Flush(flushToDisk: true);
        File.Move(temporary.Name, path, overwrite: true);
        NativeFile.SyncFolder(Path.GetDirectoryName(path)!);
    }
}

/// <summary>Makes a folder beside its place and moves it there whole, so that nobody opens half of it.</summary>
internal static class ReplacedFolder
{
    private const string Lock = ".lock"; // beside the unfinished folder while its writer lives

    /// <param name="target">Absent, empty, or replaced.</param>
    /// <param name="fill">Gets a fresh folder on the same file system.</param>
    public static void Write(string target, Action<string> fill)
    {
        target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(target));
        Directory.CreateDirectory(Path.GetDirectoryName(target) ?? target);
        Recover(target);
        string mark = $"{target}.distill-{Environment.ProcessId}", fresh = mark + ".new", old = mark + ".old"; // nobody else's names
        using var held = Hold(mark + Lock, FileMode.Create);
        Remove(fresh);
        Remove(old);
        try
        {
            Directory.CreateDirectory(fresh);
            fill(fresh);
            if (Directory.Exists(target)) Directory.Move(target, old);
            Directory.Move(fresh, target);
        }
        catch when (!Directory.Exists(target) && Directory.Exists(old))
        {
            Directory.Move(old, target);
            throw;
        }
        finally
        {
            Remove(fresh);
        }

        Remove(old);
    }

    // A kill leaves folders and a lock that nobody holds any more; between the two moves the old folder is the only one.
    private static void Recover(string target)
    {
        if (Path.GetDirectoryName(target) is not { } above) return;
        foreach (string path in Directory.GetFiles(above, $"{Path.GetFileName(target)}.distill-*{Lock}"))
        {
            try
            {
                using var held = Hold(path, FileMode.Open);
                string mark = path[..^Lock.Length], old = mark + ".old";
                if (!Directory.Exists(target) && Directory.Exists(old)) Directory.Move(old, target);
                Remove(old);
                Remove(mark + ".new");
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                // Its writer is alive, or another one, or nobody who may, removes it.
            }
        }
    }

    private static FileStream Hold(string path, FileMode mode) =>
        new(path, mode, FileAccess.ReadWrite, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);

    private static void Remove(string folder)
    {
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }
}

/// <summary>Points a symbolic link somewhere else, or makes it: at any moment it points to the old place or the new.</summary>
internal static class ReplacedLink
{
    /// <param name="target">Absolute, or relative to the link's folder.</param>
    /// <exception cref="IOException">Something that is no link has the name, or the file system has no symbolic links.</exception>
    public static void Write(string path, string target)
    {
        string fresh = $"{path}.{Environment.ProcessId}.new";
        if (new FileInfo(fresh).LinkTarget is not null) File.Delete(fresh);
        Directory.CreateSymbolicLink(fresh, target);
        if (OperatingSystem.IsWindows())
        {
            if (new DirectoryInfo(path).LinkTarget is not null) Directory.Delete(path);
            Directory.Move(fresh, path);
        }
        else NativeFile.Rename(fresh, path);
    }
}
