using System.Runtime.InteropServices;

namespace Distill.Architecture;

/// <summary>A tensor to be written: its description, and what puts exactly its bytes on a stream.</summary>
internal sealed record SafeTensor(string Name, SafeTensorType Type, IReadOnlyList<long> Shape, Action<Stream> WriteData)
{
    private const int ChunkValues = 1 << 15;

    public long ByteCount => Shape.Aggregate((long)Type.Bytes(), (product, size) => checked(product * size));

    public static SafeTensor Singles(string name, IReadOnlyList<long> shape, ReadOnlyMemory<float> values) =>
        new(name, SafeTensorType.Float32, shape, stream => WriteAll(stream, MemoryMarshal.AsBytes(values.Span)));

    /// <summary>fp32 values stored as F32, BF16 or F16, rounded to nearest, ties to even, while they are written.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Another type.</exception>
    /// <remarks>Writing throws an <see cref="InvalidDataException"/> where a finite value would become infinite.</remarks>
    public static SafeTensor Rounded(string name, IReadOnlyList<long> shape, ReadOnlyMemory<float> values, SafeTensorType type) =>
        Rounded(name, shape, () => values, type);

    /// <param name="values">Asked for when they are written.</param>
    /// <inheritdoc cref="Rounded(string, IReadOnlyList{long}, ReadOnlyMemory{float}, SafeTensorType)"/>
    public static SafeTensor Rounded(string name, IReadOnlyList<long> shape, Func<ReadOnlyMemory<float>> values, SafeTensorType type)
    {
        if (type == SafeTensorType.Float32)
            return new(name, SafeTensorType.Float32, shape, stream => WriteAll(stream, MemoryMarshal.AsBytes(values().Span)));
        if (type is not (SafeTensorType.BFloat16 or SafeTensorType.Float16))
            throw new ArgumentOutOfRangeException(nameof(type), type, "Weights are stored as F32, BF16 or F16.");
        return new(name, type, shape, stream => WriteRounded(stream, values().Span, type, name));
    }

    public static SafeTensor Integers(string name, IReadOnlyList<long> shape, ReadOnlyMemory<long> values) =>
        new(name, SafeTensorType.Int64, shape, stream => WriteAll(stream, MemoryMarshal.AsBytes(values.Span)));

    private static void WriteRounded(Stream stream, ReadOnlySpan<float> values, SafeTensorType type, string name)
    {
        ushort[] chunk = new ushort[Math.Min(ChunkValues, values.Length)];
        for (int done = 0; done < values.Length; done += ChunkValues)
        {
            var part = values[done..Math.Min(done + ChunkValues, values.Length)];
            int overflow = SafeTensorRounding.Round(part, type, chunk);
            if (overflow >= 0)
                throw new InvalidDataException($"Tensor '{name}' holds {part[overflow]}, which is too large for {type.HeaderName()}.");
            WriteAll(stream, MemoryMarshal.AsBytes(chunk.AsSpan(0, part.Length)));
        }
    }

    private static void WriteAll(Stream stream, ReadOnlySpan<byte> bytes) => stream.Write(bytes);
}
