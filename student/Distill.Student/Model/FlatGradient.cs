using Distill.Libtorch;

using static TorchSharp.torch;

namespace Distill.Student.Model;

/// <summary>
/// A gradient of trained values, fp32, in their layout and on their device. One thread; the owner disposes it.
/// </summary>
/// <param name="count">Trained values.</param>
internal sealed class FlatGradient(long count, Device device) : IDisposable
{
    public FlatGradient(FlatParameters parameters)
        : this(parameters.Count, parameters.Device)
    {
    }

    /// <summary>[trained values]</summary>
    public Tensor Values { get; } = zeros([count], ScalarType.Float32, device).DetachFromDisposeScope();

    /// <summary>
    /// What is added is multiplied by this: 1 / the scale that gradients carry on their way through fp16, a power of two.
    /// </summary>
    public double Factor { get; set; } = 1;

    /// <summary>Adds values (fp32, bf16 or fp16) to those at an offset.</summary>
    public void Add(long offset, Tensor product)
    {
        using var scope = NewDisposeScope();
        var flat = product.view(-1);
        Values.narrow(0, offset, flat.shape[0]).add_(flat, KeptScalar.Of(Factor)); // its own default would be freed while it is read
    }

    /// <summary>Adds a matrix product to the matrix at an offset; in fp32 without a copy of it.</summary>
    /// <param name="left">[rows, inner]</param>
    /// <param name="right">[inner, columns]</param>
    public void AddProduct(long offset, Tensor left, Tensor right)
    {
        if (left.dtype != ScalarType.Float32)
        {
            Add(offset, left.mm(right));
            return;
        }

        long rows = left.shape[0], columns = right.shape[1];
        Values.narrow(0, offset, rows * columns).view(rows, columns).addmm_(left, right, beta: 1, alpha: (float)Factor);
    }

    /// <summary>Adds to rows of the matrix at an offset; rows may repeat. On CUDA the order of such sums is not fixed.</summary>
    /// <param name="shape">Of the matrix.</param>
    /// <param name="indices">[rows] int64</param>
    /// <param name="rows">[rows, columns]</param>
    public void AddRows(long offset, long[] shape, Tensor indices, Tensor rows) =>
        Values.narrow(0, offset, shape[0] * shape[1]).view(shape).index_add_(0, indices, rows, KeptScalar.Of(Factor));

    /// <summary>All zeros, and no factor, whatever a pass that failed has left.</summary>
    public void Clear()
    {
        Factor = 1;
        using var scope = NewDisposeScope(); // an operation in place gives another handle to the same tensor
        Values.zero_();
    }

    public void Dispose() => Values.Dispose();
}
