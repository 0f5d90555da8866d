using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Distill.Export.Gguf;

/// <summary>The kinds of values that a GGUF file has, with the file's numbers for them.</summary>
internal enum GgufValueKind : uint
{
    UInt8 = 0,
    Int8 = 1,
    UInt16 = 2,
    Int16 = 3,
    UInt32 = 4,
    Int32 = 5,
    Single = 6,
    Bool = 7,
    Text = 8,
    List = 9,
    UInt64 = 10,
    Int64 = 11,
    Double = 12,
}

/// <summary>
/// Key–value pairs of a GGUF file in the order of writing, encoded as they come. Keys and their kinds: the GGUF specification
/// (ggml, docs/gguf.md) and what llama.cpp reads.
/// </summary>
internal sealed class GgufMetadata
{
    private readonly ArrayBufferWriter<byte> encoded = new();
    private readonly HashSet<string> keys = [];

    public int Count => keys.Count;

    /// <summary>All pairs as they stand in a file.</summary>
    public ReadOnlySpan<byte> Encoded => encoded.WrittenSpan;

    public void Add(string key, string value)
    {
        Begin(key, GgufValueKind.Text);
        Text(encoded, value);
    }

    /// <summary>A count, a size, an id.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public void Add(string key, long value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        Begin(key, GgufValueKind.UInt32);
        Number32(encoded, checked((uint)value));
    }

    public void Add(string key, double value)
    {
        Begin(key, GgufValueKind.Single);
        Number32(encoded, BitConverter.SingleToUInt32Bits((float)value));
    }

    public void Add(string key, bool value)
    {
        Begin(key, GgufValueKind.Bool);
        encoded.Write([value ? (byte)1 : (byte)0]);
    }

    public void Add(string key, IReadOnlyCollection<string> values)
    {
        List(key, GgufValueKind.Text, values.Count);
        foreach (string value in values) Text(encoded, value);
    }

    public void Add(string key, IReadOnlyCollection<int> values)
    {
        List(key, GgufValueKind.Int32, values.Count);
        foreach (int value in values) Number32(encoded, unchecked((uint)value));
    }

    public void Add(string key, IReadOnlyCollection<float> values)
    {
        List(key, GgufValueKind.Single, values.Count);
        foreach (float value in values) Number32(encoded, BitConverter.SingleToUInt32Bits(value));
    }

    internal static void Text(IBufferWriter<byte> target, string value)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(value);
        Number64(target, (ulong)utf8.Length);
        target.Write(utf8);
    }

    internal static void Number32(IBufferWriter<byte> target, uint value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        target.Write(bytes);
    }

    internal static void Number64(IBufferWriter<byte> target, ulong value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        target.Write(bytes);
    }

    private void List(string key, GgufValueKind kind, int count)
    {
        Begin(key, GgufValueKind.List);
        Number32(encoded, (uint)kind);
        Number64(encoded, (ulong)count);
    }

    private void Begin(string key, GgufValueKind kind)
    {
        if (!keys.Add(key)) throw new InvalidOperationException($"'{key}' is given twice.");
        Text(encoded, key);
        Number32(encoded, (uint)kind);
    }
}
