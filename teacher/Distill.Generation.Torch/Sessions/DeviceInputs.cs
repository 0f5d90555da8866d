using Distill.Generation.Onnx;
using Distill.Generation.Torch.Memory;
using Distill.Libtorch;
using Microsoft.ML.OnnxRuntime.Tensors;
using static TorchSharp.torch;

namespace Distill.Generation.Torch.Sessions;

/// <summary>
/// Token ids and attention masks in a device's memory, where ONNX Runtime needs no copy of its own: an input bound from elsewhere would be
/// copied when it is bound, once. The session disposes it, after what is bound.
/// </summary>
internal sealed class DeviceInputs : IDisposable
{
    private readonly SharedDevice device;
    private readonly BoundTensor ids;        // [slots]
    private readonly BoundTensor mask;       // [slots, max length]
    private readonly BoundTensor promptIds;  // [part]
    private readonly BoundTensor promptMask; // [max length], ones
    private readonly BoundTensor places;     // 0, 1, 2, …
    private readonly int maxLength;

    public DeviceInputs(SharedDevice device, int slots, int maxLength, int part)
    {
        this.device = device;
        this.maxLength = maxLength;
        ids = new BoundTensor(device, TensorElementType.Int64, slots);
        mask = new BoundTensor(device, TensorElementType.Int64, (long)slots * maxLength);
        promptIds = new BoundTensor(device, TensorElementType.Int64, part);
        promptMask = new BoundTensor(device, TensorElementType.Int64, maxLength);
        using var scope = NewDisposeScope();
        promptMask.Tensor.fill_(KeptScalar.Of(1));
        places = new BoundTensor(device, TensorElementType.Int64, Math.Max(slots, maxLength));
        places.Tensor.copy_(KeptScalar.Range(places.Tensor.shape[0], ScalarType.Int64, device.Device));
    }

    public long Bytes => ids.Bytes + mask.Bytes + promptIds.Bytes + promptMask.Bytes + places.Bytes;

    /// <summary>
    /// Writes part of a prompt and binds it; a first part has a mask as wide as it is, which means that there is no past.
    /// </summary>
    /// <param name="total">Tokens of the slot with this part.</param>
    public void BindPart(BoundRun run, GraphNames names, ReadOnlySpan<int> tokens, int total)
    {
        using var scope = NewDisposeScope();
        promptIds.Tensor.narrow(0, 0, tokens.Length).copy_(Wide(tokens));
        run.Input(names.InputIds, promptIds.View(0, 1, tokens.Length));
        run.Input(names.AttentionMask, promptMask.View(0, 1, total));
    }

    /// <summary>
    /// Binds the inputs of a step over the first <paramref name="rows"/> slots; their memory is written before each step.
    /// </summary>
    public void BindStep(BoundRun run, GraphNames names, int rows)
    {
        // The mask is as wide as the cache, at least 2: a width of 1 = one new token would mean "first prompt, no past".
        run.Input(names.InputIds, ids.View(0, rows, 1));
        run.Input(names.AttentionMask, mask.View(0, rows, maxLength));
    }

    /// <param name="lengths">Tokens of each row with the one appended.</param>
    public void WriteStep(ReadOnlySpan<int> tokens, ReadOnlySpan<int> lengths)
    {
        using var scope = NewDisposeScope();
        int rows = tokens.Length;
        ids.Tensor.narrow(0, 0, rows).copy_(Wide(tokens));
        mask.Tensor.narrow(0, 0, (long)rows * maxLength).view(rows, maxLength)
            .copy_(places.Tensor.narrow(0, 0, maxLength).unsqueeze(0).lt(Wide(lengths).to(device.Device).unsqueeze(1)));
    }

    /// <summary>Tells a graph that asks for it which positions' logits are wanted, counted over all rows of the run.</summary>
    public void BindRows(BoundRun run, int first, int count) => run.Input(LogitRowSelection.Input, places.View(first, count));

    public void Dispose()
    {
        ids.Dispose();
        mask.Dispose();
        promptIds.Dispose();
        promptMask.Dispose();
        places.Dispose();
    }

    private static Tensor Wide(ReadOnlySpan<int> values)
    {
        long[] wide = new long[values.Length];
        for (int i = 0; i < wide.Length; i++) wide[i] = values[i];
        return tensor(wide);
    }
}
