using System.Buffers;
using Distill.Architecture;
using Distill.Export.Onnx;

namespace Distill.Export.Gguf;

/// <summary>A tensor that is made from the weights when it is written, some rows at a time.</summary>
/// <param name="Shape">[out, in] as in <see cref="ParameterSpec"/>; the file lists it the other way round.</param>
internal sealed record GgufTensor(string Name, GgufType Type, IReadOnlyList<long> Shape, FillRows Fill)
{
    public long Columns => Shape[^1];

    public long Rows => Shape.Count == 1 ? 1 : Shape[0];

    public long RowBytes => Type.RowBytes(Columns);

    public long ByteCount => checked(Rows * RowBytes);
}

/// <summary>
/// A GGUF file of version 3 (ggml, docs/gguf.md), laid out before a byte is written: head, then the tensors one after the other, each on a
/// multiple of 32. Immutable.
/// </summary>
internal sealed class GgufWriter
{
    public const uint Version = 3;
    public const int Alignment = 32;
    private const int BufferBytes = 4 << 20;

    private readonly IReadOnlyList<GgufTensor> tensors;
    private readonly byte[] head;

    public GgufWriter(GgufMetadata metadata, IReadOnlyList<GgufTensor> tensors)
    {
        this.tensors = tensors;
        var target = new ArrayBufferWriter<byte>();
        target.Write("GGUF"u8);
        GgufMetadata.Number32(target, Version);
        GgufMetadata.Number64(target, (ulong)tensors.Count);
        GgufMetadata.Number64(target, (ulong)metadata.Count);
        target.Write(metadata.Encoded);
        long offset = 0;
        foreach (var tensor in tensors)
        {
            GgufMetadata.Text(target, tensor.Name);
            GgufMetadata.Number32(target, (uint)tensor.Shape.Count);
            foreach (long size in tensor.Shape.Reverse()) GgufMetadata.Number64(target, (ulong)size);
            GgufMetadata.Number32(target, (uint)tensor.Type);
            GgufMetadata.Number64(target, (ulong)offset);
            offset += Aligned(tensor.ByteCount);
        }

        head = [.. target.WrittenSpan, .. Padding(target.WrittenCount)];
        TotalBytes = head.Length + offset;
    }

    /// <summary>Bytes of the whole file.</summary>
    public long TotalBytes { get; }

    /// <summary>Holds one buffer of a few megabytes beside the weights.</summary>
    /// <exception cref="InvalidDataException">A weight is no number, or its type cannot hold it; names the tensor.</exception>
    public void Write(Stream stream, WeightSet weights)
    {
        stream.Write(head);
        byte[] buffer = GC.AllocateUninitializedArray<byte>(BufferBytes);
        foreach (var tensor in tensors)
        {
            if (tensor.RowBytes > buffer.Length) buffer = GC.AllocateUninitializedArray<byte>(checked((int)tensor.RowBytes));
            long atOnce = buffer.Length / tensor.RowBytes;
            for (long row = 0; row < tensor.Rows; row += atOnce)
            {
                var chunk = buffer.AsSpan(0, (int)(Math.Min(atOnce, tensor.Rows - row) * tensor.RowBytes));
                Fill(tensor, weights, checked((int)row), chunk);
                stream.Write(chunk);
            }

            stream.Write(Padding(tensor.ByteCount));
        }
    }

    private static void Fill(GgufTensor tensor, WeightSet weights, int row, Span<byte> chunk)
    {
        try
        {
            tensor.Fill(weights, row, chunk);
        }
        catch (InvalidDataException wrong)
        {
            throw new InvalidDataException($"Tensor '{tensor.Name}' cannot be written: {wrong.Message}.", wrong);
        }
    }

    private static long Aligned(long bytes) => checked(bytes + Alignment - 1) / Alignment * Alignment;

    // Zeros up to the next multiple.
    private static byte[] Padding(long written) => new byte[Aligned(written) - written];
}
