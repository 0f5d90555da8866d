using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Distill.Generation.Onnx;

/// <summary>
/// Keys and values of all slots: per layer two buffers [slots, kv heads, max length, head size], batch outermost, so a slot and any
/// range of slots from 0 is one contiguous view. Binding a view as past and present lets the kernel append in place.
/// </summary>
internal sealed unsafe class KeyValueCache : IDisposable
{
    private readonly DecoderSignature signature;
    private readonly int maxLength;
    private readonly NativeBuffer<float>[] buffers; // [2 × layers]: keys at even, values at odd places

    public KeyValueCache(DecoderSignature signature, int slots, int maxLength)
    {
        this.signature = signature;
        this.maxLength = maxLength;
        buffers = new NativeBuffer<float>[2 * signature.Layers];
        for (int i = 0; i < buffers.Length; i++) buffers[i] = new NativeBuffer<float>(slots * SlotSize);
    }

    private long SlotSize => (long)signature.KeyValueHeads * maxLength * signature.HeadSize;

    public static long BytesFor(DecoderSignature signature, int slots, int maxLength) =>
        checked(2L * signature.Layers * slots * signature.KeyValueHeads * maxLength * signature.HeadSize * sizeof(float));

    /// <summary>Binds slots [first, first + count) as past and present of every layer.</summary>
    public void Bind(BoundRun run, int first, int count)
    {
        for (int i = 0; i < buffers.Length; i++)
        {
            var (past, present) = i % 2 == 0 ? (signature.Names.PastKey, signature.Names.PresentKey) : (signature.Names.PastValue, signature.Names.PresentValue);
            OrtValue view = buffers[i].View(
                TensorElementType.Float, first * SlotSize, count, signature.KeyValueHeads, maxLength, signature.HeadSize);
            run.Input(GraphNames.Of(past, i / 2), view);
            run.Output(GraphNames.Of(present, i / 2), view);
        }
    }

    /// <summary>Copies the first <paramref name="length"/> tokens of one slot to another.</summary>
    public void Copy(int from, int to, int length)
    {
        long headStride = (long)maxLength * signature.HeadSize, bytes = (long)length * signature.HeadSize * sizeof(float);
        foreach (var buffer in buffers)
        {
            for (int head = 0; head < signature.KeyValueHeads; head++)
            {
                float* source = buffer.Pointer + (from * SlotSize) + (head * headStride);
                float* target = buffer.Pointer + (to * SlotSize) + (head * headStride);
                Buffer.MemoryCopy(source, target, bytes, bytes);
            }
        }
    }

    public void Dispose()
    {
        foreach (var buffer in buffers) buffer.Dispose();
    }
}
