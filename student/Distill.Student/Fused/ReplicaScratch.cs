using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Distill.Architecture;
using Distill.Student.Training;

namespace Distill.Student.Fused;

/// <summary>Working memory one replica's layers share. The owner disposes it.</summary>
internal sealed class ReplicaScratch : IDisposable
{
    private readonly NativeBuffer rows;

    public ReplicaScratch(DecoderArchitecture architecture, int capacity)
    {
        Capacity = capacity;
        Attention = new AttentionScratch(architecture, capacity, Math.Min(capacity, architecture.MaxPositions));
        rows = new NativeBuffer(2L * Math.Max(architecture.HiddenSize, architecture.VocabularySize));
    }

    /// <summary>Most tokens of a micro-batch.</summary>
    public int Capacity { get; }

    public AttentionScratch Attention { get; }

    /// <summary>Row scratch; every call returns the same memory.</summary>
    public Span<float> Row(long length) => rows.Slice(0, (int)length);

    public void Dispose()
    {
        Attention.Dispose();
        rows.Dispose();
    }
}

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

/// <summary>
/// The key or value rows that a segment sees, one after the other: where they lie if the segment begins its sequence, otherwise a copy
/// of the shared prompt's followed by its own.
/// </summary>
internal static unsafe class PromptRows
{
    /// <param name="rows">[tokens, size]: one head's.</param>
    /// <param name="copy">[keys, size], used where there is a prompt.</param>
    public static float* Gather(float* rows, TokenSegment segment, float* copy, int size)
    {
        if (segment.PromptLength == 0) return rows + (long)segment.Start * size;
        long prompt = (long)segment.PromptLength * size, own = (long)segment.Length * size;
        Buffer.MemoryCopy(rows + (long)segment.PromptStart * size, copy, prompt * sizeof(float), prompt * sizeof(float));
        Buffer.MemoryCopy(rows + (long)segment.Start * size, copy + prompt, own * sizeof(float), own * sizeof(float));
        return copy;
    }

    /// <summary>
    /// Where a segment's gradients by its keys or values go: cleared scratch where there is a prompt, otherwise their place at once.
    /// </summary>
    public static float* Target(float* gradients, TokenSegment segment, float* scratch, int size)
    {
        if (segment.PromptLength == 0) return gradients + (long)segment.Start * size;
        new Span<float>(scratch, segment.Keys * size).Clear();
        return scratch;
    }

    /// <summary>Adds what <see cref="Target"/> gathered to the prompt's and the segment's own gradients.</summary>
    public static void Add(float* gradients, TokenSegment segment, float* scratch, int size)
    {
        if (segment.PromptLength == 0) return;
        int prompt = segment.PromptLength * size;
        Add(gradients + (long)segment.PromptStart * size, new ReadOnlySpan<float>(scratch, prompt));
        Add(gradients + (long)segment.Start * size, new ReadOnlySpan<float>(scratch + prompt, segment.Length * size));
    }

    private static void Add(float* target, ReadOnlySpan<float> values)
    {
        var sum = new Span<float>(target, values.Length);
        TensorPrimitives.Add(sum, values, sum);
    }
}
