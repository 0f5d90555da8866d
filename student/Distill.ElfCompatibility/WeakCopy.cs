using Microsoft.Build.Framework;

namespace Distill.ElfCompatibility;

/// <summary>A copy of a library in which one version need is weak. The original is only read.</summary>
internal static class WeakCopy
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
            throw new InvalidDataException(
                $"Cannot patch '{original}': it has {source.Length} bytes, more than {ElfVersionNeeds.MaxLength}.");

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

/// <summary>
/// MSBuild task: <see cref="WeakCopy"/> for one native library. TorchSharp's library asks for GLIBCXX_3.4.32 only for
/// <c>_ZSt21ios_base_library_initv</c>, which has no relocation and is never called; distributions with an older libstdc++
/// (Debian 12, Ubuntu 22.04, RHEL 9) refuse to load it until that need is weak.
/// </summary>
public sealed class WeakenVersionNeed : Microsoft.Build.Utilities.Task
{
    [Required]
    public string Original { get; set; } = "";

    [Required]
    public string Copy { get; set; } = "";

    /// <summary>The library that lacks the version, e.g. <c>libstdc++.so.6</c>.</summary>
    [Required]
    public string From { get; set; } = "";

    [Required]
    public string Version { get; set; } = "";

    public override bool Execute()
    {
        try
        {
            bool written = WeakCopy.Write(Original, Copy, From, Version);
            Log.LogMessage(MessageImportance.Low, written ? "Wrote {0} ({1} weak)" : "{0} ({1} weak) is up to date", Copy, Version);
        }
        catch (Exception fault) when (fault is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            Log.LogErrorFromException(fault);
        }

        return !Log.HasLoggedErrors;
    }
}
