using System.Runtime.InteropServices;

namespace Distill.Student.Fused;

/// <summary>Cache-line aligned fp32 scratch outside the managed heap. The owner disposes it.</summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    public NativeBuffer(long length)
    {
        Length = length;
        Pointer = (float*)NativeMemory.AlignedAlloc(checked((nuint)length * sizeof(float)), 64);
        NativeMemory.Clear(Pointer, (nuint)length * sizeof(float));
    }

    public long Length { get; }

    public float* Pointer { get; private set; }

    public Span<float> Slice(long offset, int length) => new(Pointer + offset, length);

    public void Dispose()
    {
        NativeMemory.AlignedFree(Pointer);
        Pointer = null;
    }
}
