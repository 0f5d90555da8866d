using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Distill.Generation.Onnx;

/// <summary>Zeroed native memory, 64-byte aligned, that ONNX Runtime reads and writes in place. The creator disposes it, after every view of it.</summary>
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
        if (offset < 0 || (offset * sizeof(T)) + bytes > Bytes) throw new ArgumentOutOfRangeException(nameof(offset), "The view leaves the buffer.");
        return OrtValue.CreateTensorValueWithData(OrtMemoryInfo.DefaultInstance, type, shape.ToArray(), (nint)(Pointer + offset), bytes);
    }

    public void Dispose()
    {
        NativeMemory.Free(allocation);
        allocation = null;
    }
}
