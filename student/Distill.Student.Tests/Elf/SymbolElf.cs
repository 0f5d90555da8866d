using System.Text;

namespace Distill.Student.Tests.Elf;

/// <summary>
/// A shared library of nothing but symbols, written byte by byte: headers, dynamic section, string table, symbol table with its versions,
/// and a GNU hash table of a few buckets over the symbols that are defined.
/// </summary>
internal static class SymbolElf
{
    private const int Entries = 7, Buckets = 3, SymbolSize = 24;

    /// <param name="needs">Wanted of others: a version of 1 is none.</param>
    public static byte[] With((string Name, ushort Version, bool Weak)[] needs, params string[] defined)
    {
        // As linkers write it: what is defined stands in the order of its buckets.
        string[] hashed = [.. defined.OrderBy(name => Hash(name) % Buckets)];
        int count = 1 + needs.Length + hashed.Length, first = 1 + needs.Length;
        var names = new MemoryStream();
        names.WriteByte(0);
        int symbols = HandMadeElf.DynamicOffset + (Entries * 16), versions = symbols + (count * SymbolSize);
        int hash = versions + (count * 2) + 8;
        int strings = hash + 16 + 8 + (Buckets * 4) + (hashed.Length * 4);
        byte[] file = new byte[strings + needs.Sum(need => need.Name.Length + 1) + hashed.Sum(name => name.Length + 1) + 1];
        for (int i = 0; i < needs.Length; i++)
        {
            Symbol(file, symbols + ((1 + i) * SymbolSize), names, needs[i].Name, needs[i].Weak ? 2 : 1, section: 0);
            HandMadeElf.Put16(file, versions + ((1 + i) * 2), needs[i].Version);
        }

        for (int i = 0; i < hashed.Length; i++) Symbol(file, symbols + ((first + i) * SymbolSize), names, hashed[i], 1, section: 7);
        WriteHash(file, hash, first, hashed);
        names.ToArray().CopyTo(file, strings);
        HandMadeElf.WriteHeader(file, Entries);
        HandMadeElf.WriteDynamic(
            file, (5, At(strings)), (10, (ulong)names.Length), (6, At(symbols)), (0x6FFFFFF0, At(versions)), (0x6FFFFEF5, At(hash)),
            (0, 0));
        return file;
    }

    private static ulong At(int offset) => HandMadeElf.LoadAddress + (ulong)offset;

    private static void Symbol(byte[] file, int at, MemoryStream names, string name, int binding, ushort section)
    {
        HandMadeElf.Put32(file, at, (uint)names.Length);
        file[at + 4] = (byte)(binding << 4);
        HandMadeElf.Put16(file, at + 6, section);
        names.Write(Encoding.ASCII.GetBytes(name + "\0"));
    }

    private static void WriteHash(byte[] file, int at, int first, string[] hashed)
    {
        HandMadeElf.Put32(file, at, Buckets);
        HandMadeElf.Put32(file, at + 4, (uint)first);
        HandMadeElf.Put32(file, at + 8, 1); // one word of filter, which lets everything through
        HandMadeElf.Put64(file, at + 16, ulong.MaxValue);
        int buckets = at + 24, chains = buckets + (Buckets * 4);
        for (int i = hashed.Length - 1; i >= 0; i--)
        {
            uint hash = Hash(hashed[i]);
            bool isLast = i == hashed.Length - 1 || Hash(hashed[i + 1]) % Buckets != hash % Buckets;
            HandMadeElf.Put32(file, chains + (i * 4), isLast ? hash | 1 : hash & ~1u);
            HandMadeElf.Put32(file, buckets + ((int)(hash % Buckets) * 4), (uint)(first + i));
        }
    }

    private static uint Hash(string name) => name.Aggregate(5381u, (hash, character) => unchecked((hash * 33) + character));
}
