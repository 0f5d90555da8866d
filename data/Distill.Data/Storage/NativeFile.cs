using System.Runtime.InteropServices;

namespace Distill.Data.Storage;

/// <summary>The two file system operations .NET does not offer: an exclusive link and the flush of a directory.</summary>
internal static partial class NativeFile
{
    private const int Eintr = 4, Eexist = 17;

    /// <summary>
    /// Gives a finished file its final name if nothing has that name. On Unix a hard link, because renaming without overwriting
    /// is not exclusive there (measured: both of two racing threads win); on Windows a move without replacement, which is.
    /// </summary>
    /// <returns>False when the name is taken.</returns>
    public static bool LinkExclusively(string temporary, string path)
    {
        if (!OperatingSystem.IsWindows()) return LinkOnUnix(temporary, path);
        try
        {
            File.Move(temporary, path);
            return true;
        }
        catch (IOException) when (File.Exists(path))
        {
            return false;
        }
    }

    /// <summary>Makes the names in a folder survive a power failure. Windows journals them itself.</summary>
    public static void SyncFolder(string folder)
    {
        if (OperatingSystem.IsWindows()) return;
        int descriptor;
        do descriptor = Open(folder, 0);
        while (descriptor < 0 && Marshal.GetLastPInvokeError() == Eintr);
        if (descriptor < 0) throw Failure("open folder", folder);
        try
        {
            int result;
            do result = Sync(descriptor);
            while (result != 0 && Marshal.GetLastPInvokeError() == Eintr);
            if (result != 0) throw Failure("flush folder", folder);
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private static bool LinkOnUnix(string temporary, string path)
    {
        if (Link(temporary, path) == 0) return true;
        if (Marshal.GetLastPInvokeError() == Eexist) return false;
        throw Failure("link (the file system has to support hard links)", path);
    }

    private static IOException Failure(string what, string path) =>
        new($"Cannot {what} '{path}': {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}.");

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string existing, string created);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
