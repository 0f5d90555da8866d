using Distill.Student.Model;
using static TorchSharp.torch;

namespace Distill.Student.Fused;

/// <summary>A gradient of all parameters, fp32, in the layout of <see cref="FlatParameters"/>. The owner disposes it.</summary>
internal sealed unsafe class FlatGradient(int count) : IDisposable
{
    private readonly Tensor values = zeros([count], ScalarType.Float32).DetachFromDisposeScope();

    public Span<float> Span => new(NativeRows.PointerOf(values), count);

    public Span<float> Slice(long offset, int length) => new(NativeRows.PointerOf(values) + offset, length);

    /// <summary>Adds a matrix product (fp32 or bf16) to the parameters at an offset.</summary>
    public void Add(long offset, Tensor product)
    {
        var flat = product.view(-1);
        values.narrow(0, offset, flat.shape[0]).add_(flat);
    }

    public void Clear() => Span.Clear();

    public void Dispose() => values.Dispose();
}
