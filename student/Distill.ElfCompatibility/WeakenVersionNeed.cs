using Microsoft.Build.Framework;

namespace Distill.ElfCompatibility;

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
