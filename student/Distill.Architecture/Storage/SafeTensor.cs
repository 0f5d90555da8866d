using System.Runtime.InteropServices;

namespace Distill.Architecture;

/// <summary>A tensor to be written: its description, and what puts exactly its bytes on a stream.</summary>
public sealed record SafeTensor(string Name, SafeTensorType Type, IReadOnlyList<long> Shape, Action<Stream> WriteData)
{
    public long ByteCount => Shape.Aggregate((long)Type.Bytes(), (product, size) => checked(product * size));

    public static SafeTensor Singles(string name, IReadOnlyList<long> shape, ReadOnlyMemory<float> values) =>
        new(name, SafeTensorType.Float32, shape, stream => WriteAll(stream, MemoryMarshal.AsBytes(values.Span)));

    public static SafeTensor Integers(string name, IReadOnlyList<long> shape, ReadOnlyMemory<long> values) =>
        new(name, SafeTensorType.Int64, shape, stream => WriteAll(stream, MemoryMarshal.AsBytes(values.Span)));

    private static void WriteAll(Stream stream, ReadOnlySpan<byte> bytes) => stream.Write(bytes);
}
