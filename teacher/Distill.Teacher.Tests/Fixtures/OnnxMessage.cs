using System.Text;

namespace Distill.Teacher.Tests.Fixtures;

/// <summary>Writes protobuf fields, and with them the messages of onnx.proto3 that a small graph needs.</summary>
internal sealed class OnnxMessage
{
    private readonly List<byte> bytes = [];

    public byte[] ToBytes() => [.. bytes];

    public OnnxMessage Number(int field, long value)
    {
        Varint((ulong)(field << 3));
        Varint((ulong)value);
        return this;
    }

    public OnnxMessage Bytes(int field, ReadOnlySpan<byte> value)
    {
        Varint((ulong)((field << 3) | 2));
        Varint((ulong)value.Length);
        bytes.AddRange(value);
        return this;
    }

    /// <summary>Fields that are written already.</summary>
    public OnnxMessage Raw(ReadOnlySpan<byte> fields)
    {
        bytes.AddRange(fields);
        return this;
    }

    public OnnxMessage Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    public OnnxMessage Message(int field, OnnxMessage value) => Bytes(field, [.. value.bytes]);

    /// <summary>ValueInfoProto; a dimension is a number or a name, separated by blanks.</summary>
    public static OnnxMessage Value(string name, int type, string dims)
    {
        var shape = new OnnxMessage();
        foreach (string dim in dims.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            shape.Message(1, long.TryParse(dim, out long size) ? new OnnxMessage().Number(1, size) : new OnnxMessage().Text(2, dim));
        return new OnnxMessage().Text(1, name)
            .Message(2, new OnnxMessage().Message(1, new OnnxMessage().Number(1, type).Message(2, shape)));
    }

    /// <summary>TensorProto with its data in place.</summary>
    public static OnnxMessage Tensor(string name, int type, ReadOnlySpan<byte> data, params long[] dims)
    {
        var tensor = new OnnxMessage();
        foreach (long size in dims) tensor.Number(1, size);
        return tensor.Number(2, type).Text(8, name).Bytes(9, data);
    }

    /// <summary>NodeProto; names separated by blanks.</summary>
    public static OnnxMessage Node(string operation, string inputs, string outputs, params OnnxMessage[] attributes)
    {
        var node = new OnnxMessage();
        foreach (string name in inputs.Split(' ')) node.Text(1, name);
        foreach (string name in outputs.Split(' ')) node.Text(2, name);
        node.Text(4, operation[(operation.LastIndexOf('.') + 1)..])
            .Text(7, operation.Contains('.') ? operation[..operation.LastIndexOf('.')] : "");
        foreach (OnnxMessage attribute in attributes) node.Message(5, attribute);
        return node;
    }

    public static OnnxMessage Attribute(string name, long value) => new OnnxMessage().Text(1, name).Number(3, value).Number(20, 2);

    public static OnnxMessage Attribute(string name, OnnxMessage graph) => new OnnxMessage().Text(1, name).Message(6, graph).Number(20, 5);

    private void Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7) bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
    }
}
