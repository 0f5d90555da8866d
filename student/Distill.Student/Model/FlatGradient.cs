using static TorchSharp.torch;

namespace Distill.Student.Model;

/// <summary>
/// A gradient of all parameters, fp32, in the layout of <see cref="FlatParameters"/> and on their device. The owner disposes it.
/// </summary>
internal sealed class FlatGradient(FlatParameters parameters) : IDisposable
{
    /// <summary>[parameters]</summary>
    public Tensor Values { get; } = zeros([parameters.Count], ScalarType.Float32, parameters.Device).DetachFromDisposeScope();

    /// <summary>Adds a matrix product (fp32 or bf16) to the parameters at an offset.</summary>
    public void Add(long offset, Tensor product)
    {
        using var scope = NewDisposeScope();
        var flat = product.view(-1);
        Values.narrow(0, offset, flat.shape[0]).add_(flat, KeptScalar.Of(1)); // its own default would be freed while the call reads it
    }

    public void Clear()
    {
        using var scope = NewDisposeScope(); // operations in place give their tensor once more
        Values.zero_();
    }

    public void Dispose() => Values.Dispose();
}
