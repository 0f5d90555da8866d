using System.Numerics.Tensors;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Distill.Generation.Onnx;

/// <summary>Logits as the graph writes them, [rows, vocab] in fp32 or fp16, read as fp32. Not thread-safe; the creator disposes it, after its views.</summary>
internal sealed unsafe class LogitsBuffer(int rows, int vocabulary, TensorElementType type) : IDisposable
{
    private readonly NativeBuffer<byte> buffer = new((long)rows * vocabulary * CacheLayout.SizeOf(type));

    public long Bytes => buffer.Bytes;

    /// <summary>The first batch × length rows as [batch, length, vocab].</summary>
    public OrtValue View(int batch, int length) => buffer.View(type, 0, batch, length, vocabulary);

    /// <summary>Copies rows from <paramref name="first"/> on, as many as the target holds. NaN and infinity stay what they are.</summary>
    public void CopyTo(int first, Span<float> target)
    {
        long offset = (long)first * vocabulary;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + target.Length, (long)rows * vocabulary, nameof(target));
        if (type == TensorElementType.Float) new ReadOnlySpan<float>((float*)buffer.Pointer + offset, target.Length).CopyTo(target);
        else TensorPrimitives.ConvertToSingle(new ReadOnlySpan<Half>((Half*)buffer.Pointer + offset, target.Length), target);
    }

    public void Dispose() => buffer.Dispose();
}
