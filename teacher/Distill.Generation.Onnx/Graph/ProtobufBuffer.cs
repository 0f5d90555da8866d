using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Distill.Generation.Onnx;

/// <summary>
/// Fields in the protobuf wire format (protobuf.dev, "Encoding"), appended to memory. For the small parts of a model only.
/// </summary>
internal sealed class ProtobufBuffer
{
    private const int VarintWire = 0, LengthWire = 2, Fixed32Wire = 5;
    private readonly ArrayBufferWriter<byte> bytes = new();

    public ReadOnlySpan<byte> Written => bytes.WrittenSpan;

    public int Length => bytes.WrittenCount;

    public void Integer(int field, long value)
    {
        Tag(field, VarintWire);
        Varint((ulong)value); // negative numbers take ten bytes, as the format demands
    }

    public void Single(int field, float value)
    {
        Tag(field, Fixed32Wire);
        BinaryPrimitives.WriteSingleLittleEndian(bytes.GetSpan(sizeof(float)), value);
        bytes.Advance(sizeof(float));
    }

    public void Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    public void Bytes(int field, ReadOnlySpan<byte> value)
    {
        Prefix(field, value.Length);
        bytes.Write(value);
    }

    public void Message(int field, Action<ProtobufBuffer> write)
    {
        var child = new ProtobufBuffer();
        write(child);
        Bytes(field, child.Written);
    }

    /// <summary>Tag and length of a field whose content the caller writes elsewhere.</summary>
    public void Prefix(int field, long length)
    {
        Tag(field, LengthWire);
        Varint((ulong)length);
    }

    /// <summary>Content that belongs to a prefix written before.</summary>
    public void Raw(ReadOnlySpan<byte> content) => bytes.Write(content);

    private void Tag(int field, int wire) => Varint(((ulong)field << 3) | (uint)wire);

    private void Varint(ulong value)
    {
        var span = bytes.GetSpan(10);
        int count = 0;
        for (; value >= 0x80; value >>= 7) span[count++] = (byte)(value | 0x80);
        span[count++] = (byte)value;
        bytes.Advance(count);
    }
}
