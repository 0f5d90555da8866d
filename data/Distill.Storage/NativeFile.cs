using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Distill.Storage;

/// <summary>
/// What .NET does not offer of a file system: an exclusive link, renaming a link, exchanging two folders, the flush of a
/// directory, the inode of a file, writing at the end wherever that is.
/// </summary>
internal static partial class NativeFile
{
    private const int Eintr = 4, Eexist = 17, Enoent = 2;
    private const int AtWorkingFolder = -100, EmptyPath = 0x1000;
    private const int WriteOnly = 1, AppendOnly = 0x400, CloseOnStart = 0x80000;
    private const uint BasicStatus = 0x7ff, ExchangeNames = 2;

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

    /// <summary>
    /// The first bytes of a file that somebody may have locked: .NET asks for the lock whenever it opens a file, and is refused. On
    /// Windows, where the lock forbids reading, so is this.
    /// </summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static byte[] ReadLocked(string path, int most)
    {
        using var file = OperatingSystem.IsWindows()
            ? File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete)
            : OpenUnlocked(path);
        byte[] bytes = new byte[most];
        return bytes[..RandomAccess.Read(file, bytes, fileOffset: 0)];
    }

    private static SafeFileHandle OpenUnlocked(string path) => OpenOnUnix(path, 0, "read");

    private static SafeFileHandle OpenOnUnix(string path, int flags, string what)
    {
        int descriptor;
        do descriptor = Open(path, flags);
        while (descriptor < 0 && Marshal.GetLastPInvokeError() == Eintr);
        return descriptor < 0 ? throw Failure(what, path) : new SafeFileHandle(descriptor, ownsHandle: true);
    }

    /// <summary>
    /// Opens a file, made where there is none, so that every write goes to its end as it is then, whoever wrote before. Linux, on a local
    /// disk; elsewhere a write goes where it is told to. The caller disposes it.
    /// </summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static SafeFileHandle OpenToAppend(string path)
    {
        const FileShare Others = FileShare.ReadWrite | FileShare.Delete;
        var made = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.Write, Others);
        if (!OperatingSystem.IsLinux()) return made;
        made.Dispose(); // .NET has no word for it
        return OpenOnUnix(path, WriteOnly | AppendOnly | CloseOnStart, "append to");
    }

    /// <summary>Status of a file, links followed; null where the system has no <c>statx</c>. Times in nanoseconds since 1970.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static (ulong Device, ulong Inode, ulong Size, long Modified, long Changed)? Status(string path)
    {
        if (!OperatingSystem.IsLinux()) return null;
        if (StatX(AtWorkingFolder, path, 0, BasicStatus, out var status) == 0)
        {
            ulong device = ((ulong)status.DeviceMajor << 32) | status.DeviceMinor;
            return (device, status.Inode, status.Size, status.Modified.Nanoseconds, status.Changed.Nanoseconds);
        }

        int error = Marshal.GetLastPInvokeError();
        if (error == Enoent) throw new FileNotFoundException($"'{path}' is missing.", path);
        throw Failure("read the status of", path);
    }

    /// <summary>Whether an open file still has a name: it loses it when somebody removes or replaces it. Linux; elsewhere true.</summary>
    public static bool IsNamed(SafeFileHandle file, string path)
    {
        if (!OperatingSystem.IsLinux()) return true;
        if (StatX((int)file.DangerousGetHandle(), "", EmptyPath, BasicStatus, out var open) != 0) throw Failure("read the status of", path);
        return StatX(AtWorkingFolder, path, 0, BasicStatus, out var named) == 0
            && (open.Inode, open.DeviceMajor, open.DeviceMinor) == (named.Inode, named.DeviceMajor, named.DeviceMinor);
    }

    /// <summary>Gives a file, or a link itself, the name of another, whose place it takes in one step. Unix only.</summary>
    public static void Rename(string path, string target)
    {
        int result;
        do result = RenameOnUnix(path, target);
        while (result != 0 && Marshal.GetLastPInvokeError() == Eintr);
        if (result != 0) throw Failure("give the name", target);
    }

    /// <summary>Two folders take each other's names in one step. Linux.</summary>
    /// <exception cref="IOException">They lie on different file systems, or theirs cannot do it.</exception>
    public static void Exchange(string path, string other)
    {
        int result;
        do result = RenameOnLinux(AtWorkingFolder, path, AtWorkingFolder, other, ExchangeNames);
        while (result != 0 && Marshal.GetLastPInvokeError() == Eintr);
        if (result != 0) throw Failure("exchange in one step (the file system has to be able to; a link works everywhere)", other);
    }

    private static bool LinkOnUnix(string temporary, string path)
    {
        int result;
        do result = Link(temporary, path);
        while (result != 0 && Marshal.GetLastPInvokeError() == Eintr);
        if (result == 0) return true;
        if (Marshal.GetLastPInvokeError() == Eexist) return false;
        throw Failure("link (the file system has to support hard links)", path);
    }

    private static IOException Failure(string what, string path) =>
        new($"Cannot {what} '{path}': {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}.");

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string existing, string created);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameOnUnix(string path, string target);

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameOnLinux(int folder, string path, int targetFolder, string target, uint flags);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, out FileStatus status);

    // struct statx of linux/stat.h: one layout on every architecture.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct FileStatus
    {
        [FieldOffset(32)]
        public ulong Inode;

        [FieldOffset(40)]
        public ulong Size;

        [FieldOffset(96)]
        public FileTime Changed;

        [FieldOffset(112)]
        public FileTime Modified;

        [FieldOffset(136)]
        public uint DeviceMajor;

        [FieldOffset(140)]
        public uint DeviceMinor;
    }

    [StructLayout(LayoutKind.Sequential, Size = 16)]
    private struct FileTime
    {
        public long Seconds;
        public uint Fraction;

        public readonly long Nanoseconds => (Seconds * 1_000_000_000) + Fraction;
    }
}
