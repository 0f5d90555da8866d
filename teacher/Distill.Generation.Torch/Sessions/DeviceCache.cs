using Distill.Generation.Onnx;
using Distill.Generation.Torch.Memory;
using Microsoft.ML.OnnxRuntime;
using static TorchSharp.torch;

namespace Distill.Generation.Torch.Sessions;

/// <summary>
/// Keys and values of all slots in a device's memory. Layers of one capacity share a tensor [buffers, slots, kv heads, capacity, head
/// size], so that copying a slot is one operation; a range of slots from any slot on is one contiguous view of a buffer. Binding a view as
/// past and present lets the kernel append in place. The session disposes it, after what is bound.
/// </summary>
internal sealed class DeviceCache : IDisposable
{
    private readonly DecoderSignature signature;
    private readonly CacheLayout layout;
    private readonly int slots;
    private readonly List<(int Capacity, BoundTensor Tensor)> groups = [];
    private readonly (int Group, int Place)[] buffers; // keys and values of each layer in turn

    public DeviceCache(DecoderSignature signature, SharedDevice device, int slots, int maxLength)
    {
        this.signature = signature;
        this.slots = slots;
        layout = signature.Layout;
        int[] capacities = [.. Enumerable.Range(0, 2 * layout.Layers).Select(buffer => layout.Capacity(buffer / 2, maxLength))];
        buffers = new (int, int)[capacities.Length];
        foreach (var group in capacities.Select((capacity, buffer) => (Capacity: capacity, Buffer: buffer)).GroupBy(pair => pair.Capacity))
        {
            int place = 0;
            foreach (var (_, buffer) in group) buffers[buffer] = (groups.Count, place++);
            groups.Add((group.Key, new BoundTensor(
                device, layout.CacheType, place, slots, layout.KeyValueHeads, group.Key, layout.HeadSize)));
        }
    }

    public long Bytes => groups.Sum(group => group.Tensor.Bytes);

    /// <summary>Binds slots [first, first + count) as past and present of every layer.</summary>
    public void Bind(BoundRun run, int first, int count)
    {
        for (int i = 0; i < buffers.Length; i++)
        {
            var (capacity, tensor) = groups[buffers[i].Group];
            long slot = (long)layout.KeyValueHeads * capacity * layout.HeadSize;
            OrtValue view = tensor.View(
                (((long)buffers[i].Place * slots) + first) * slot, count, layout.KeyValueHeads, capacity, layout.HeadSize);
            var (past, present) = signature.Names.CacheNames(i);
            run.Input(past, view);
            run.Output(present, view);
        }
    }

    /// <summary>Copies the first <paramref name="length"/> tokens of one slot to another.</summary>
    public void Copy(int from, int to, int length)
    {
        if (length == 0) return;
        using var scope = NewDisposeScope();
        foreach (var (_, tensor) in groups)
            tensor.Tensor.select(1, to).narrow(2, 0, length).copy_(tensor.Tensor.select(1, from).narrow(2, 0, length));
    }

    public void Dispose()
    {
        foreach (var (_, tensor) in groups) tensor.Dispose();
    }
}
