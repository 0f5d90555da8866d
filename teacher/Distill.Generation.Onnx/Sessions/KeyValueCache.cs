using Microsoft.ML.OnnxRuntime;

namespace Distill.Generation.Onnx;

/// <summary>
/// Keys and values of all slots: per layer two buffers [slots, kv heads, capacity, head size], batch outermost, so a slot and any
/// range of slots from 0 is one contiguous view. Binding a view as past and present lets the kernel append in place.
/// </summary>
internal sealed unsafe class KeyValueCache : IDisposable
{
    private readonly DecoderSignature signature;
    private readonly CacheLayout layout;
    private readonly int[] capacities;             // [layers], tokens
    private readonly NativeBuffer<byte>[] buffers; // [2 × layers]: keys at even, values at odd places

    public KeyValueCache(DecoderSignature signature, int slots, int maxLength)
    {
        this.signature = signature;
        layout = signature.Layout;
        TokenBytes = layout.HeadSize * CacheLayout.SizeOf(layout.CacheType);
        capacities = [.. Enumerable.Range(0, layout.Layers).Select(layer => layout.Grows ? maxLength : layout.Capacity(layer, maxLength))];
        buffers = new NativeBuffer<byte>[2 * layout.Layers];
        for (int i = 0; i < buffers.Length; i++) buffers[i] = new NativeBuffer<byte>(slots * SlotBytes(i));
    }

    /// <summary>Bytes of one token in one head of one buffer.</summary>
    public int TokenBytes { get; }

    /// <summary>Keys and values of each layer in turn.</summary>
    public int BufferCount => buffers.Length;

    public long Bytes => buffers.Sum(buffer => buffer.Bytes);

    /// <summary>Where a slot's tokens of one head begin; they follow each other.</summary>
    public byte* Tokens(int buffer, int slot, int head) =>
        buffers[buffer].Pointer + (slot * SlotBytes(buffer)) + ((long)head * capacities[buffer / 2] * TokenBytes);

    /// <summary>Binds slots [first, first + count) as past and present of every layer.</summary>
    public void Bind(BoundRun run, int first, int count)
    {
        for (int i = 0; i < buffers.Length; i++)
        {
            var (past, present) = signature.Names.CacheNames(i);
            OrtValue view = buffers[i].View(
                layout.CacheType, first * SlotBytes(i), count, layout.KeyValueHeads, capacities[i / 2], layout.HeadSize);
            run.Input(past, view);
            run.Output(present, view);
        }
    }

    /// <summary>Copies the first <paramref name="length"/> tokens of one slot to another.</summary>
    public void Copy(int from, int to, int length)
    {
        long bytes = (long)length * TokenBytes;
        for (int i = 0; i < buffers.Length; i++)
        {
            for (int head = 0; head < layout.KeyValueHeads; head++)
                Buffer.MemoryCopy(Tokens(i, from, head), Tokens(i, to, head), bytes, bytes);
        }
    }

    public void Dispose()
    {
        foreach (var buffer in buffers) buffer.Dispose();
    }

    private long SlotBytes(int buffer) => (long)layout.KeyValueHeads * capacities[buffer / 2] * TokenBytes;
}
