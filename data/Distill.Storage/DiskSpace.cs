using System.Globalization;

namespace Distill.Storage;

/// <summary>Whether a disk has room for what is about to be written: asked before, so that nothing is begun that cannot be ended.</summary>
internal static class DiskSpace
{
    /// <param name="folder">It, or one above it, exists.</param>
    /// <exception cref="IOException">There are fewer bytes free: says how many are needed, and how many there are.</exception>
    public static void Require(string folder, long bytes)
    {
        string existing = Path.GetFullPath(folder);
        while (!Directory.Exists(existing) && Path.GetDirectoryName(existing) is { } above) existing = above;
        if (OperatingSystem.IsWindows() && Path.GetPathRoot(existing) is not [_, ':', ..]) return; // a share: only drives say what is free
        long free = new DriveInfo(existing).AvailableFreeSpace;
        if (free < bytes)
            throw new IOException(string.Create(
                CultureInfo.InvariantCulture,
                $"No space left on device: '{folder}' needs {bytes:N0} bytes; {free:N0} are free there. Free some, or take another disk."));
    }
}
