using System.Buffers.Binary;
using System.Text;

namespace Distill.Student.Tests.Elf;

/// <summary>
/// A shared library written byte by byte: file header, two program headers (everything loaded at 0x10000; the dynamic section),
/// dynamic section, string table, version needs. No sections: the loader needs none, so neither may we.
/// </summary>
internal static class HandMadeElf
{
    public const ulong LoadAddress = 0x10000;
    public const int DynamicOffset = 64 + 2 * 56;

    /// <param name="needs">For each library the versions it has to provide, with their flags.</param>
    public static byte[] With(params (string Library, (string Name, ushort Flags)[] Versions)[] needs)
    {
        var names = new MemoryStream();
        names.WriteByte(0);
        var file = new byte[4096];
        int strings = DynamicOffset + 5 * 16;
        int verneed = strings + 512;
        WriteNeeds(file, verneed, needs, names);
        names.ToArray().CopyTo(file, strings);
        WriteHeader(file, entries: 5);
        WriteDynamic(
            file,
            (0x6FFFFFFE, LoadAddress + (ulong)verneed),
            (0x6FFFFFFF, (ulong)needs.Length),
            (5, LoadAddress + (ulong)strings),
            (10, (ulong)names.Length),
            (0, 0));
        return file;
    }

    public static void Put16(byte[] file, int at, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(at), value);

    public static void Put32(byte[] file, int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(at), value);

    public static void Put64(byte[] file, int at, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(at), value);

    /// <param name="entries">Of the dynamic section.</param>
    public static void WriteHeader(byte[] file, int entries)
    {
        ((ReadOnlySpan<byte>)[0x7F, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1]).CopyTo(file);
        Put16(file, 16, 3);    // shared library
        Put16(file, 18, 62);   // x86-64
        Put64(file, 32, 64);   // program headers follow the file header
        Put16(file, 54, 56);
        Put16(file, 56, 2);
        WriteSegment(file, 64, 1, 0, LoadAddress, (ulong)file.Length);
        WriteSegment(file, 64 + 56, 2, DynamicOffset, LoadAddress + DynamicOffset, (ulong)entries * 16);
    }

    private static void WriteSegment(byte[] file, int at, uint type, ulong offset, ulong address, ulong size)
    {
        Put32(file, at, type);
        Put64(file, at + 8, offset);
        Put64(file, at + 16, address);
        Put64(file, at + 32, size);
    }

    public static void WriteDynamic(byte[] file, params (ulong Tag, ulong Value)[] entries)
    {
        for (int i = 0; i < entries.Length; i++)
        {
            Put64(file, DynamicOffset + i * 16, entries[i].Tag);
            Put64(file, DynamicOffset + i * 16 + 8, entries[i].Value);
        }
    }

    private static void WriteNeeds(
        byte[] file, int at, (string Library, (string Name, ushort Flags)[] Versions)[] needs, MemoryStream names)
    {
        for (int library = 0; library < needs.Length; library++)
        {
            var versions = needs[library].Versions;
            int size = 16 + 16 * versions.Length;
            Put16(file, at, 1);
            Put16(file, at + 2, (ushort)versions.Length);
            Put32(file, at + 4, NameOf(needs[library].Library, names));
            Put32(file, at + 8, 16);
            Put32(file, at + 12, library == needs.Length - 1 ? 0 : (uint)size);
            for (int version = 0; version < versions.Length; version++)
            {
                int aux = at + 16 + 16 * version;
                Put16(file, aux + 4, versions[version].Flags);
                Put32(file, aux + 8, NameOf(versions[version].Name, names));
                Put32(file, aux + 12, version == versions.Length - 1 ? 0u : 16);
            }

            at += size;
        }
    }

    private static uint NameOf(string name, MemoryStream names)
    {
        uint index = (uint)names.Length;
        names.Write(Encoding.ASCII.GetBytes(name + "\0"));
        return index;
    }
}
