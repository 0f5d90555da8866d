namespace Distill.ElfCompatibility;

/// <summary>One symbol version that a library wants from another, e.g. <c>GLIBCXX_3.4.32</c> of <c>libstdc++.so.6</c>.</summary>
/// <param name="Library">File name (DT_NEEDED form) of the library that has to provide the version.</param>
/// <param name="Version">Name of the version.</param>
/// <param name="Flags">vna_flags; bit 2 (VER_FLG_WEAK) tells the loader to go on when the version is missing.</param>
/// <param name="FlagsOffset">Where vna_flags (16 bits, little-endian) lies in the file.</param>
public sealed record VersionNeed(string Library, string Version, ushort Flags, int FlagsOffset)
{
    /// <summary>VER_FLG_WEAK of the gABI extensions ("Linux Standard Base", symbol versioning).</summary>
    public const ushort WeakFlag = 2;

    public bool IsWeak => (Flags & WeakFlag) != 0;
}
