using Distill.Architecture;

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
