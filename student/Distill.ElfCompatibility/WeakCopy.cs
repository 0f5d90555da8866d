namespace Distill.ElfCompatibility;

/// <summary>A copy of a library in which one version need is weak. The original is only read.</summary>
public static class WeakCopy
{
    /// <summary>The copy is this much younger than its original, so that no copy step takes one for the other.</summary>
    private static readonly TimeSpan Younger = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Writes the copy beside its final name and renames it into place: whatever the name held before (perhaps a hard link to
    /// the original) keeps its content, and no one ever sees half a library.
    /// </summary>
    /// <returns>False when an up-to-date copy was already there.</returns>
    /// <exception cref="InvalidDataException">The original is not a 64-bit little-endian ELF library; names the file.</exception>
    public static bool Write(string original, string copy, string from, string version)
    {
        var source = new FileInfo(original);
        var target = new FileInfo(copy);
        var stamp = source.LastWriteTimeUtc + Younger;
        if (target.Exists && target.Length == source.Length && target.LastWriteTimeUtc == stamp) return false;
        if (source.Length > ElfVersionNeeds.MaxLength)
            throw new InvalidDataException($"Cannot patch '{original}': it has {source.Length} bytes, more than {ElfVersionNeeds.MaxLength}.");

        byte[] bytes = File.ReadAllBytes(original);
        try
        {
            ElfVersionNeeds.Weaken(bytes, from, version);
        }
        catch (Exception fault) when (fault is InvalidDataException or OverflowException)
        {
            throw new InvalidDataException($"Cannot patch '{original}': {fault.Message}.", fault);
        }

        Directory.CreateDirectory(target.DirectoryName!);
        string temporary = $"{copy}.{Environment.ProcessId}-{Environment.CurrentManagedThreadId}.tmp";
        try
        {
            File.WriteAllBytes(temporary, bytes);
            File.SetLastWriteTimeUtc(temporary, stamp);
            File.Move(temporary, copy, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }

        return true;
    }
}
