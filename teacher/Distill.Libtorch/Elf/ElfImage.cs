using System.Buffers.Binary;
using System.Text;

namespace Distill.Libtorch.Elf;

/// <summary>
/// A 64-bit little-endian ELF file, in memory or mapped, as the dynamic loader sees it: addresses are translated through PT_LOAD, section
/// headers play no part (stripping may remove them). Every read is bounded by the file. Source: System V gABI, chapters 4 and 5.
/// </summary>
internal sealed class ElfImage
{
    private const int HeaderSize = 64, ProgramHeaderSize = 56, DynamicEntrySize = 16;
    private const int MaxProgramHeaders = 1024, MaxDynamicEntries = 4096, MaxNameLength = 1024;
    private const uint LoadSegment = 1, DynamicSegment = 2;

    private readonly ReadOnlyMemory<byte> bytes;
    private readonly List<Segment> segments = [];

    /// <exception cref="InvalidDataException">Not a 64-bit little-endian ELF file, or one that points outside itself.</exception>
    public ElfImage(ReadOnlyMemory<byte> bytes)
    {
        this.bytes = bytes;
        ReadOnlySpan<byte> magic = [0x7F, (byte)'E', (byte)'L', (byte)'F'];
        if (bytes.Length < HeaderSize || !bytes.Span[..4].SequenceEqual(magic)) throw new InvalidDataException("it is not an ELF file");
        if (bytes.Span[4] != 2 || bytes.Span[5] != 1) throw new InvalidDataException("it is not a 64-bit little-endian ELF file");
        ReadSegments();
        ReadDynamic();
    }

    /// <summary>First value of each tag of the dynamic section; empty for a static file.</summary>
    public Dictionary<ulong, ulong> Dynamic { get; } = [];

    public byte Byte(int offset) => Slice(offset, 1)[0];

    public ushort U16(int offset) => BinaryPrimitives.ReadUInt16LittleEndian(Slice(offset, 2));

    public uint U32(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(Slice(offset, 4));

    public ulong U64(int offset) => BinaryPrimitives.ReadUInt64LittleEndian(Slice(offset, 8));

    /// <summary>
    /// A zero-terminated name in the string table at <paramref name="table"/> (file offset) of <paramref name="size"/> bytes.
    /// </summary>
    public string Name(int table, ulong size, uint index)
    {
        if (index >= size) throw new InvalidDataException($"a name index {index} is outside the string table of {size} bytes");
        int start = checked(table + (int)index);
        int limit = (int)Math.Min(Math.Min((ulong)table + size, (ulong)bytes.Length) - (ulong)Math.Min(start, bytes.Length), MaxNameLength);
        int length = Slice(start, limit).IndexOf((byte)0);
        if (length < 0)
            throw new InvalidDataException($"a name in the string table is longer than {MaxNameLength} bytes or not terminated");
        return Encoding.UTF8.GetString(Slice(start, length));
    }

    /// <summary>Whether the name at <paramref name="index"/> of a string table is this one, however long it is.</summary>
    public bool NameIs(int table, ulong size, uint index, ReadOnlySpan<byte> name)
    {
        if (index >= size || size - index <= (ulong)name.Length) return false;
        var found = Slice(checked(table + (int)index), name.Length + 1);
        return found[name.Length] == 0 && found[..name.Length].SequenceEqual(name);
    }

    /// <summary>Where an address of the loaded image lies in the file.</summary>
    public int FileOffset(ulong address)
    {
        foreach (var segment in segments)
        {
            if (segment.Type != LoadSegment || address < segment.Address || address - segment.Address >= segment.FileSize) continue;
            return ToOffset(segment.Offset + (address - segment.Address));
        }

        throw new InvalidDataException($"address 0x{address:x} is in no loaded segment");
    }

    private void ReadSegments()
    {
        int table = ToOffset(U64(32)), entrySize = U16(54), count = U16(56);
        if (count == 0) return;
        if (entrySize < ProgramHeaderSize || count > MaxProgramHeaders)
            throw new InvalidDataException($"it declares {count} program headers of {entrySize} bytes");
        for (int i = 0; i < count; i++)
        {
            int at = checked(table + i * entrySize);
            segments.Add(new Segment(U32(at), U64(at + 8), U64(at + 16), U64(at + 32)));
        }
    }

    private void ReadDynamic()
    {
        var dynamic = segments.FirstOrDefault(segment => segment.Type == DynamicSegment);
        if (dynamic.Type != DynamicSegment) return;
        int start = ToOffset(dynamic.Offset);
        long entries = (long)Math.Min(dynamic.FileSize / DynamicEntrySize, MaxDynamicEntries);
        for (int i = 0; i < entries; i++)
        {
            ulong tag = U64(start + i * DynamicEntrySize);
            if (tag == 0) return;
            Dynamic.TryAdd(tag, U64(start + i * DynamicEntrySize + 8));
        }
    }

    private int ToOffset(ulong offset) =>
        offset <= (ulong)bytes.Length ? (int)offset : throw new InvalidDataException($"offset {offset} is beyond its {bytes.Length} bytes");

    private ReadOnlySpan<byte> Slice(int offset, int length) =>
        offset >= 0 && length >= 0 && offset <= bytes.Length - length
            ? bytes.Span.Slice(offset, length)
            : throw new InvalidDataException($"{length} bytes at {offset} are beyond its {bytes.Length} bytes");

    private readonly record struct Segment(uint Type, ulong Offset, ulong Address, ulong FileSize);
}
