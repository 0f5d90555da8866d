namespace Distill.Data.Storage;

/// <summary>
/// An unfinished file beside its final name. Its writer holds a shared lock until the commit ends; a kill releases the lock,
/// which is how a leftover is told from a file someone is writing.
/// </summary>
internal static class TemporaryFile
{
    private const string Suffix = ".tmp";
    private static long counter;

    /// <summary>Opens a new temporary file for <paramref name="path"/>; the caller closes and deletes it.</summary>
    public static FileStream Create(string path)
    {
        string folder = Path.GetDirectoryName(path)!, name = Path.GetFileName(path);
        while (true)
        {
            string candidate = Path.Combine(folder, $".{name}.{Environment.ProcessId}-{Interlocked.Increment(ref counter)}{Suffix}");
            if (File.Exists(candidate)) continue; // another machine's, or left by a process that had our id
            return new FileStream(candidate, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete);
        }
    }

    /// <summary>Deletes the unfinished files that killed processes left in a folder (not below it).</summary>
    /// <returns>How many were deleted.</returns>
    public static int RemoveLeftovers(string folder)
    {
        if (!Directory.Exists(folder)) return 0;
        int removed = 0;
        foreach (string file in Directory.EnumerateFiles(folder, ".*" + Suffix))
        {
            try
            {
                using (new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None)) File.Delete(file);
                removed++;
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                // Its writer is alive, or another process removed it first.
            }
        }

        return removed;
    }
}
