using Distill.Student.Fused;
using Distill.Student.Model;
using static TorchSharp.torch;

namespace Distill.Student.Autograd;

/// <summary>
/// What a pass does beyond products and elementwise operations: all that reads by index, attention, and every crossing between the computer's
/// memory and the device. Nothing else in these passes waits for the device. Thread-safe.
/// </summary>
internal interface IDeviceOperations
{
    /// <returns>[indices, width] of a [rows, width] table.</returns>
    Tensor Rows(Tensor table, Tensor indices);

    /// <summary>target[indices[i]] += factor · rows[i]; indices may repeat. On CUDA the order of such sums is not fixed.</summary>
    void AddRows(Tensor target, Tensor indices, Tensor rows, double factor);

    /// <summary>One value out of every row.</summary>
    /// <param name="values">[rows, width]</param>
    /// <param name="columns">[rows, 1]</param>
    /// <returns>[rows, 1]</returns>
    Tensor Pick(Tensor values, Tensor columns);

    /// <summary>Adds to one value of every row.</summary>
    /// <param name="added">[rows, 1]</param>
    void AddAt(Tensor values, Tensor columns, Tensor added);

    /// <summary>Scaled dot-product attention; causal without a mask, so that the flash kernel applies where there is one.</summary>
    /// <param name="queries">[batch, head, time, size], likewise keys and values.</param>
    /// <param name="mask">[time, time], what is added to the scores; null: every query sees all keys up to its own.</param>
    Tensor Attention(Tensor queries, Tensor keys, Tensor values, Tensor? mask);

    Tensor ToDevice(long[] values, Device device);

    Tensor ToDevice(float[] values, Device device);

    /// <summary>The values in the computer's memory. Waits for the device.</summary>
    float[] ToHost(Tensor values);
}

/// <inheritdoc cref="IDeviceOperations"/>
internal sealed class DeviceOperations : IDeviceOperations
{
    public static DeviceOperations Instance { get; } = new();

    public Tensor Rows(Tensor table, Tensor indices) => table.index_select(0, indices);

    public void AddRows(Tensor target, Tensor indices, Tensor rows, double factor) =>
        target.index_add_(0, indices, rows, KeptScalar.Of(factor));

    public Tensor Pick(Tensor values, Tensor columns) => values.gather(1, columns);

    public void AddAt(Tensor values, Tensor columns, Tensor added) => values.scatter_add_(1, columns, added);

    public Tensor Attention(Tensor queries, Tensor keys, Tensor values, Tensor? mask) =>
        nn.functional.scaled_dot_product_attention(queries, keys, values, mask, is_casual: mask is null);

    public Tensor ToDevice(long[] values, Device device) => tensor(values, ScalarType.Int64).to(device);

    public Tensor ToDevice(float[] values, Device device) => tensor(values).to(device);

    public float[] ToHost(Tensor values)
    {
        using var scope = NewDisposeScope();
        return HostValues.Of(values.cpu().contiguous()).ToArray();
    }
}
