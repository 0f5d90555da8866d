using System.Buffers.Binary;
using Distill.Libtorch.Elf;

namespace Distill.ElfCompatibility;

/// <summary>
/// The symbol versions an ELF library needs (DT_VERNEED, section <c>.gnu.version_r</c>), and the one change we make to them:
/// setting the weak flag, so that glibc loads the library where the version is missing. Stateless and thread-safe.
/// Source: Linux Standard Base, "Symbol Versioning".
/// </summary>
internal static class ElfVersionNeeds
{
    /// <summary>Largest library read into memory.</summary>
    public const int MaxLength = 1 << 28;

    private const ulong StringTable = 5, StringTableSize = 10, VersionNeeds = 0x6FFFFFFE, VersionNeedCount = 0x6FFFFFFF;
    private const int MaxLibraries = 4096, MaxVersions = 65_536;

    /// <returns>Every need in file order; empty when the library has none.</returns>
    /// <exception cref="InvalidDataException">Not a 64-bit little-endian ELF file, or a damaged one.</exception>
    public static IReadOnlyList<VersionNeed> Read(byte[] library)
    {
        var elf = new ElfImage(library);
        if (!elf.Dynamic.TryGetValue(VersionNeeds, out ulong address)) return [];
        int names = elf.FileOffset(elf.Dynamic.GetValueOrDefault(StringTable));
        ulong namesSize = elf.Dynamic.GetValueOrDefault(StringTableSize);
        ulong libraries = elf.Dynamic.GetValueOrDefault(VersionNeedCount);
        if (libraries > MaxLibraries) throw new InvalidDataException($"it needs versions of {libraries} libraries");

        var needs = new List<VersionNeed>();
        int at = elf.FileOffset(address);
        for (ulong i = 0; i < libraries; i++)
        {
            string name = elf.Name(names, namesSize, elf.U32(at + 4));
            ReadLibrary(elf, at, name, names, namesSize, needs);
            uint next = elf.U32(at + 12);
            if (next == 0) break;
            at = Forward(at, next);
        }

        return needs;
    }

    /// <summary>Sets the weak flag on one need in <paramref name="library"/>.</summary>
    /// <returns>Whether anything changed: false when the need is absent or already weak.</returns>
    /// <exception cref="InvalidDataException">Not a 64-bit little-endian ELF file, or a damaged one.</exception>
    public static bool Weaken(byte[] library, string from, string version)
    {
        bool changed = false;
        foreach (var need in Read(library))
        {
            if (need.Library != from || need.Version != version || need.IsWeak) continue;
            BinaryPrimitives.WriteUInt16LittleEndian(library.AsSpan(need.FlagsOffset, 2), (ushort)(need.Flags | VersionNeed.WeakFlag));
            changed = true;
        }

        return changed;
    }

    // Verneed: version 16, count 16, file 32, aux 32, next 32. Vernaux: hash 32, flags 16, other 16, name 32, next 32.
    private static void ReadLibrary(ElfImage elf, int at, string library, int names, ulong namesSize, List<VersionNeed> needs)
    {
        int count = elf.U16(at + 2);
        int aux = Forward(at, elf.U32(at + 8));
        for (int i = 0; i < count; i++)
        {
            if (needs.Count == MaxVersions) throw new InvalidDataException($"it needs more than {MaxVersions} versions");
            needs.Add(new VersionNeed(library, elf.Name(names, namesSize, elf.U32(aux + 8)), elf.U16(aux + 4), aux + 4));
            uint next = elf.U32(aux + 12);
            if (next == 0) break;
            aux = Forward(aux, next);
        }
    }

    private static int Forward(int at, uint distance) =>
        distance <= MaxLength ? checked(at + (int)distance)
        : throw new InvalidDataException($"a version record points {distance} bytes ahead");
}

/// <summary>One symbol version that a library wants from another, e.g. <c>GLIBCXX_3.4.32</c> of <c>libstdc++.so.6</c>.</summary>
/// <param name="Library">File name (DT_NEEDED form) of the library that has to provide the version.</param>
/// <param name="Version">Name of the version.</param>
/// <param name="Flags">vna_flags; bit 2 (VER_FLG_WEAK) tells the loader to go on when the version is missing.</param>
/// <param name="FlagsOffset">Where vna_flags (16 bits, little-endian) lies in the file.</param>
internal sealed record VersionNeed(string Library, string Version, ushort Flags, int FlagsOffset)
{
    /// <summary>VER_FLG_WEAK of the gABI extensions ("Linux Standard Base", symbol versioning).</summary>
    public const ushort WeakFlag = 2;

    public bool IsWeak => (Flags & WeakFlag) != 0;
}
