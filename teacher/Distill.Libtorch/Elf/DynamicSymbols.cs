using System.Text;

namespace Distill.Libtorch.Elf;

/// <summary>
/// The symbols that an ELF library gives to others and wants of others (.dynsym), found through its GNU hash table as the dynamic loader
/// finds them. Every read is bounded by the file. Not for concurrent use. Source: System V gABI, chapter 5; the hash: glibc's
/// elf/dl-lookup.
/// </summary>
internal sealed class DynamicSymbols
{
    private const ulong StringTable = 5, SymbolTable = 6, StringTableSize = 10, VersionTable = 0x6FFFFFF0, HashTable = 0x6FFFFEF5;
    private const int SymbolSize = 24, HashHeader = 16, WeakBinding = 2, VersionMask = 0x7FFF, FirstVersion = 2;
    private const uint MostSymbols = 1 << 24, LongestChain = 4096;

    private readonly ElfImage elf;
    private readonly int names, symbols, buckets, chains;
    private readonly ulong namesSize;
    private readonly uint bucketCount, firstHashed;

    /// <exception cref="InvalidDataException">No such file, a damaged one, or one without a GNU hash table.</exception>
    public DynamicSymbols(ReadOnlyMemory<byte> library)
    {
        elf = new ElfImage(library);
        names = At(StringTable, "no string table");
        namesSize = elf.Dynamic.GetValueOrDefault(StringTableSize);
        symbols = At(SymbolTable, "no symbol table");
        int hash = At(HashTable, "no GNU hash table");
        (bucketCount, firstHashed) = (elf.U32(hash), elf.U32(hash + 4));
        uint bloomCount = elf.U32(hash + 8);
        if (bucketCount is 0 or > MostSymbols || firstHashed > MostSymbols || bloomCount > MostSymbols)
            throw new InvalidDataException($"its hash table declares {bucketCount} buckets from symbol {firstHashed}");
        buckets = checked(hash + HashHeader + (int)bloomCount * sizeof(ulong)); // after the filter, which only saves time
        chains = checked(buckets + (int)bucketCount * sizeof(uint));
    }

    /// <summary>
    /// What the library wants of others without naming a version, which the C and C++ libraries always have: names of symbols that must be
    /// defined elsewhere. Symbols before the hashed ones, which are those it gives.
    /// </summary>
    public IReadOnlyList<string> UnversionedNeeds()
    {
        int? versions = elf.Dynamic.TryGetValue(VersionTable, out ulong address) ? elf.FileOffset(address) : null;
        var needs = new List<string>();
        for (uint i = 1; i < firstHashed; i++)
        {
            int at = SymbolAt(i);
            bool isUndefined = elf.U16(at + 6) == 0, isWeak = elf.Byte(at + 4) >> 4 == WeakBinding;
            bool isVersioned = versions is { } table && (elf.U16(checked(table + (int)i * 2)) & VersionMask) >= FirstVersion;
            if (isUndefined && !isWeak && !isVersioned) needs.Add(elf.Name(names, namesSize, elf.U32(at)));
        }

        return needs;
    }

    /// <summary>Whether the library defines a symbol of this name.</summary>
    public bool Defines(string name)
    {
        byte[] wanted = Encoding.UTF8.GetBytes(name);
        uint hash = 5381;
        foreach (byte character in wanted) hash = unchecked((hash * 33) + character);
        uint symbol = elf.U32(checked(buckets + (int)(hash % bucketCount) * sizeof(uint)));
        if (symbol < firstHashed) return false;
        for (uint steps = 0; steps < LongestChain; steps++, symbol++)
        {
            uint link = elf.U32(checked(chains + (int)(symbol - firstHashed) * sizeof(uint)));
            if ((link | 1) == (hash | 1) && IsDefined(symbol, wanted)) return true;
            if ((link & 1) == 1) return false;
        }

        throw new InvalidDataException($"its hash table has a chain longer than {LongestChain}");
    }

    private bool IsDefined(uint symbol, byte[] name)
    {
        int at = SymbolAt(symbol);
        return elf.U16(at + 6) != 0 && elf.NameIs(names, namesSize, elf.U32(at), name);
    }

    private int SymbolAt(uint index) => checked(symbols + (int)index * SymbolSize);

    private int At(ulong tag, string absence) =>
        elf.Dynamic.TryGetValue(tag, out ulong address) ? elf.FileOffset(address) : throw new InvalidDataException($"it has {absence}");
}
