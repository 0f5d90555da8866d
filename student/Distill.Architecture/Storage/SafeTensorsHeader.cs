using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Unicode;

namespace Distill.Architecture;

/// <summary>
/// Reads and checks the header of a safetensors file: eight bytes of length, then JSON. Everything a hostile header could
/// say is either proven consistent with the file's size or refused; memory stays proportional to the header.
/// Format: https://github.com/huggingface/safetensors (README, "Format").
/// </summary>
internal sealed class SafeTensorsHeader
{
    public const int MaxBytes = 100_000_000;

    private SafeTensorsHeader(IReadOnlyList<SafeTensorEntry> entries, IReadOnlyDictionary<string, string> metadata, long dataStart)
    {
        Entries = entries;
        Metadata = metadata;
        DataStart = dataStart;
    }

    /// <summary>In the order of their data.</summary>
    public IReadOnlyList<SafeTensorEntry> Entries { get; }

    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Offset of the first data byte in the file.</summary>
    public long DataStart { get; }

    /// <exception cref="InvalidDataException">Names <paramref name="file"/> and what is wrong with it.</exception>
    public static SafeTensorsHeader Read(Stream stream, string file)
    {
        long length = stream.Length;
        if (length < 8) throw Bad(file, $"it has {length} bytes, fewer than the 8 of the header length");
        Span<byte> prefix = stackalloc byte[8];
        stream.Position = 0;
        stream.ReadExactly(prefix);
        ulong headerLength = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (headerLength > MaxBytes) throw Bad(file, $"its header length {headerLength} exceeds {MaxBytes}");
        if ((long)headerLength > length - 8)
            throw Bad(file, $"its header of {headerLength} bytes is longer than the file ({length} bytes)");
        byte[] header = new byte[headerLength];
        stream.ReadExactly(header);
        return Parse(header, length - 8 - (long)headerLength, file);
    }

    private static SafeTensorsHeader Parse(byte[] header, long dataLength, string file)
    {
        if (header.Length == 0 || header[0] != (byte)'{') throw Bad(file, "its header does not start with '{'");
        if (!Utf8.IsValid(header)) throw Bad(file, "its header is not valid UTF-8");
        try
        {
            var parser = new SafeTensorsHeaderParser(header, file);
            parser.Parse();
            return new(Contiguous(parser.Entries, dataLength, file), parser.Metadata, 8 + header.Length);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException or FormatException)
        {
            // InvalidOperationException: a lone surrogate escape; FormatException: a number outside 64 bits.
            throw Bad(file, "its header is not the JSON of the format: " + broken.Message, broken);
        }
    }

    // Offsets must tile the data from 0 to its end: no holes (smuggled bytes), no overlaps, nothing after the last tensor.
    private static List<SafeTensorEntry> Contiguous(List<SafeTensorEntry> entries, long dataLength, string file)
    {
        entries.Sort((a, b) => a.Begin != b.Begin ? a.Begin.CompareTo(b.Begin) : a.End.CompareTo(b.End));
        long position = 0;
        foreach (var entry in entries)
        {
            if (entry.Begin != position)
                throw Bad(file, $"tensor '{entry.Name}' begins at {entry.Begin} where {position} was expected (a hole or an overlap)");
            position = entry.End;
        }

        if (position != dataLength) throw Bad(file, $"its tensors need {position} bytes of data and it holds {dataLength}");
        return entries;
    }

    public static InvalidDataException Bad(string file, string reason, Exception? inner = null) =>
        new($"'{file}' is not a sound safetensors file: {reason}.", inner);
}
