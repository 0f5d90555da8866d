using Distill.Architecture;

namespace Distill.Student.Fused;

/// <summary>Working memory of attention that no layer needs to keep: one per replica. The owner disposes it.</summary>
internal sealed unsafe class AttentionScratch : IDisposable
{
    private readonly NativeBuffer keysTransposed;
    private readonly NativeBuffer valuesTransposed;
    private readonly NativeBuffer probabilities;
    private readonly NativeBuffer scoreGradients;
    private readonly NativeBuffer outputGradient;
    private readonly NativeBuffer headGradients;
    private readonly NativeBuffer row;
    private readonly NativeBuffer prompted; // keys, values and their gradients of a segment with a prompt
    private readonly long longest;
    private readonly int capacity;
    private readonly int size;

    /// <param name="capacity">Most tokens in a batch.</param>
    /// <param name="longest">Most tokens in one sequence.</param>
    public AttentionScratch(DecoderArchitecture architecture, int capacity, int longest)
    {
        this.capacity = capacity;
        size = architecture.HeadSize;
        long stride = (longest + 15) & ~15;
        this.longest = longest;
        prompted = new NativeBuffer(4L * longest * size);
        keysTransposed = new NativeBuffer(size * stride);
        valuesTransposed = new NativeBuffer(size * stride);
        probabilities = new NativeBuffer(stride * stride);
        scoreGradients = new NativeBuffer(stride * stride);
        outputGradient = new NativeBuffer(stride * size);
        headGradients = new NativeBuffer((architecture.Heads + 2L * architecture.KeyValueHeads) * capacity * size);
        row = new NativeBuffer(size);
    }

    /// <summary>[size, stride]</summary>
    public float* KeysTransposed => keysTransposed.Pointer;

    /// <summary>[size, stride]</summary>
    public float* ValuesTransposed => valuesTransposed.Pointer;

    /// <summary>[length, stride]</summary>
    public float* Probabilities => probabilities.Pointer;

    /// <summary>[length, stride]</summary>
    public float* ScoreGradients => scoreGradients.Pointer;

    /// <summary>[length, size]</summary>
    public float* OutputGradient => outputGradient.Pointer;

    /// <summary>[size]</summary>
    public float* Row => row.Pointer;

    /// <summary>[length, size]</summary>
    public float* Keys => prompted.Pointer;

    /// <summary>[length, size]</summary>
    public float* Values => prompted.Pointer + (longest * size);

    /// <summary>[length, size]</summary>
    public float* KeyGradient => prompted.Pointer + (2 * longest * size);

    /// <summary>[length, size]</summary>
    public float* ValueGradient => prompted.Pointer + (3 * longest * size);

    /// <summary>[packed heads, capacity, size]</summary>
    public float* HeadGradient(int head, int token) => headGradients.Pointer + ((long)head * capacity + token) * size;

    public void Dispose()
    {
        keysTransposed.Dispose();
        valuesTransposed.Dispose();
        probabilities.Dispose();
        scoreGradients.Dispose();
        outputGradient.Dispose();
        headGradients.Dispose();
        row.Dispose();
        prompted.Dispose();
    }
}
