using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Distill.Generation.Onnx;

/// <summary>
/// Zeroed native memory, 64-byte aligned, that ONNX Runtime reads and writes in place. The creator disposes it, after every view of it.
/// </summary>
internal sealed unsafe class NativeBuffer<T> : IDisposable
    where T : unmanaged
{
    private const int Alignment = 64;

    private void* allocation;

    public NativeBuffer(long length)
    {
        Length = length;

        // calloc gives fresh zero pages that cost nothing until they are used; aligned allocation would have to clear them.
        allocation = NativeMemory.AllocZeroed(checked((nuint)((length * sizeof(T)) + Alignment)));
        Pointer = (T*)(((nint)allocation + Alignment - 1) & -Alignment);
    }

    public long Length { get; }

    public long Bytes => Length * sizeof(T);

    public T* Pointer { get; }

    public Span<T> Span(long offset, int length) => new(Pointer + offset, length);

    /// <summary>A tensor over part of the buffer; dispose it before the buffer.</summary>
    /// <param name="offset">In elements of the buffer, which need not be those of the tensor.</param>
    public OrtValue View(TensorElementType type, long offset, params ReadOnlySpan<long> shape)
    {
        long bytes = CacheLayout.SizeOf(type);
        foreach (long size in shape) bytes = checked(bytes * size);
        if (offset < 0 || (offset * sizeof(T)) + bytes > Bytes)
            throw new ArgumentOutOfRangeException(nameof(offset), "The view leaves the buffer.");
        return OrtValue.CreateTensorValueWithData(OrtMemoryInfo.DefaultInstance, type, shape.ToArray(), (nint)(Pointer + offset), bytes);
    }

    public void Dispose()
    {
        NativeMemory.Free(allocation);
        allocation = null;
    }
}

/// <summary>
/// Logits as the graph writes them, [rows, vocab] in fp32 or fp16, read as fp32. Not thread-safe; the creator disposes it, after its views.
/// </summary>
internal sealed unsafe class LogitsBuffer(int rows, int vocabulary, TensorElementType type) : IDisposable
{
    private readonly NativeBuffer<byte> buffer = new((long)rows * vocabulary * CacheLayout.SizeOf(type));
    private float[] widened = [];

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

    /// <summary>The first rows; valid until they are written again.</summary>
    public ReadOnlySpan<float> Read(int count)
    {
        int length = checked(count * vocabulary);
        if (type == TensorElementType.Float) return new ReadOnlySpan<float>((float*)buffer.Pointer, length);
        if (widened.Length < length) widened = new float[length];
        CopyTo(0, widened.AsSpan(0, length));
        return widened.AsSpan(0, length);
    }

    public void Dispose() => buffer.Dispose();
}
