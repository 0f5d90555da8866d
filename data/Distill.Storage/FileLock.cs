using System.Text;

namespace Distill.Storage;

/// <summary>
/// A lock between processes: a file that is held open. The system gives it back when its holder ends, however it ends.
/// The file stays, but for <see cref="TryRemove"/>; what it says about its holder is for messages only. Dispose to give it back.
/// </summary>
internal sealed class FileLock : IDisposable
{
    private const string Somebody = "another process";

    private const int LongestOwner = 200;

    private const int Looks = 4;

    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(10);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly FileStream stream;

    private FileLock(FileStream stream) => this.stream = stream;

    /// <param name="owner">Who holds it, in words, for others to read.</param>
    /// <returns>Null when somebody else holds it.</returns>
    /// <exception cref="IOException">The folder cannot be written to.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public static FileLock? TryTake(string path, string owner)
    {
        FileStream? stream = null;
        for (int look = 0; look < Looks && (stream = TryOpen(path, FileAccess.ReadWrite, FileShare.None)) is null; look++)
            Thread.Sleep(Glance); // who only looks holds it for a moment; who works on it stays
        if (stream is null) return null;
        stream.SetLength(0);
        stream.Write(Encoding.UTF8.GetBytes(owner));
        stream.Flush();
        return new FileLock(stream);
    }

    /// <summary>Waits for it.</summary>
    /// <param name="waiting">Told once who holds it, when that is somebody else.</param>
    public static FileLock Take(string path, string owner, Action<string> waiting, CancellationToken cancellation)
    {
        bool told = false;
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            if (TryTake(path, owner) is { } taken) return taken;
            if (!told) waiting(OwnerOf(path));
            told = true;
            cancellation.WaitHandle.WaitOne(Pause); // a file lock offers nothing to wait on
        }
    }

    /// <summary>Held by any number at once, and by nobody who has <see cref="TryTake"/>n it.</summary>
    /// <returns>Null when somebody holds it alone.</returns>
    public static FileLock? TryShare(string path)
    {
        if (!File.Exists(path) && TryOpen(path, FileAccess.ReadWrite, FileShare.ReadWrite) is { } created) created.Dispose();
        return TryOpen(path, FileAccess.Read, FileShare.Read) is { } stream ? new FileLock(stream) : null;
    }

    /// <summary>
    /// Removes the file of a lock that nobody holds. Who opens it at this moment notices that it is no lock any more, and makes a new one.
    /// </summary>
    /// <returns>False when somebody holds it, or where the system cannot tell who still has the file.</returns>
    public static bool TryRemove(string path)
    {
        if (!OperatingSystem.IsLinux() || !File.Exists(path)) return false;
        using var held = TryOpen(path, FileAccess.ReadWrite, FileShare.None);
        if (held is null) return false;
        File.Delete(path);
        return true;
    }

    /// <summary>Whether somebody holds it. Changes nothing.</summary>
    public static bool IsHeld(string path)
    {
        if (!File.Exists(path)) return false;
        try
        {
            using var free = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            return false;
        }
        catch (FileNotFoundException)
        {
            return false; // removed just now, which only happens to one that nobody holds
        }
        catch (IOException fault) when (IsTaken(fault))
        {
            return true;
        }
    }

    /// <summary>What its holder said of itself; <c>another process</c> when that cannot be read.</summary>
    public static string OwnerOf(string path)
    {
        try
        {
            return Encoding.UTF8.GetString(NativeFile.ReadLocked(path, LongestOwner)) is { Length: > 0 } owner ? owner : Somebody;
        }
        catch (IOException)
        {
            return Somebody;
        }
    }

    public void Dispose() => stream.Dispose();

    private static FileStream? TryOpen(string path, FileAccess access, FileShare share)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        try
        {
            while (true)
            {
                var stream = new FileStream(path, access == FileAccess.Read ? FileMode.Open : FileMode.OpenOrCreate, access, share);
                if (NativeFile.IsNamed(stream.SafeFileHandle, path)) return stream;
                stream.Dispose(); // removed between its opening and its locking: it keeps nobody out
            }
        }
        catch (FileNotFoundException) when (access == FileAccess.Read)
        {
            return null; // the same, and nobody has made a new one
        }
        catch (IOException fault) when (IsTaken(fault))
        {
            return null;
        }
    }

    // EWOULDBLOCK of Linux and of macOS, ERROR_SHARING_VIOLATION: taken, as against a folder that cannot be written to.
    private static bool IsTaken(IOException fault) => fault.HResult is 11 or 35 or unchecked((int)0x80070020);
}
