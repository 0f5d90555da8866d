using System.Buffers;

namespace Distill.Student.Model;

/// <summary>Native fp32 values as <see cref="Memory{T}"/>. Owns nothing: whoever owns the values outlives it.</summary>
internal sealed unsafe class NativeValues(float* values, int count) : MemoryManager<float>
{
    public override Span<float> GetSpan() => new(values, count);

    public override MemoryHandle Pin(int elementIndex = 0) => new(values + elementIndex);

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
    }
}
