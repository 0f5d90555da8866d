using Distill.Student.Fused;
using static TorchSharp.torch;

namespace Distill.Student.Autograd;

/// <summary>
/// What a pass does that libtorch's <c>meta</c> device has no kernel for: a test replaces these and runs everything else there, where
/// whatever else crosses between devices is refused. <see cref="ToHost"/> is the only way back from the device, and waits for it; a batch,
/// a loss's slopes and a teacher's labels go there from pageable memory, and on CUDA such a copy waits too. Thread-safe.
/// </summary>
internal interface IDeviceOperations
{
    /// <summary>The rows of a [rows, width] table at [indices].</summary>
    Tensor Rows(Tensor table, Tensor indices);

    /// <summary>Scaled dot-product attention; causal without a mask, so that the flash kernel applies where there is one.</summary>
    /// <param name="queries">[batch, head, time, size]</param>
    /// <param name="keys">[batch, head, keys, size], likewise the values.</param>
    /// <param name="mask">[time, keys], added to the scores; null: a query sees as many keys as there are queries up to it.</param>
    Tensor Attention(Tensor queries, Tensor keys, Tensor values, Tensor? mask);

    /// <summary>fp32 values in the computer's memory.</summary>
    float[] ToHost(Tensor values);
}

/// <inheritdoc cref="IDeviceOperations"/>
internal sealed class DeviceOperations : IDeviceOperations
{
    public static DeviceOperations Instance { get; } = new();

    public Tensor Rows(Tensor table, Tensor indices) => table.index_select(0, indices);

    public Tensor Attention(Tensor queries, Tensor keys, Tensor values, Tensor? mask) =>
        nn.functional.scaled_dot_product_attention(queries, keys, values, mask, is_casual: mask is null);

    public float[] ToHost(Tensor values)
    {
        using var scope = NewDisposeScope();
        return HostValues.Of(values.cpu().contiguous()).ToArray();
    }
}
