using Distill.Libtorch;
using Distill.Student.Autograd;
using Distill.Student.Model;
using static TorchSharp.torch;

namespace Distill.Student.Adapters;

/// <summary>A linear layer in which nothing is trained: y = x·Wᵀ + b.</summary>
internal sealed class FrozenProjection : IProjection
{
    private readonly IFrozenMatrix matrix;
    private readonly Tensor? bias; // [out]

    /// <param name="matrix">Disposed with this.</param>
    /// <param name="bias">In the products' precision; null without. Copied.</param>
    public FrozenProjection(IFrozenMatrix matrix, Tensor? bias)
    {
        this.matrix = matrix;
        this.bias = bias?.clone().DetachFromDisposeScope();
    }

    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var transposed = matrix.Values().t();
        return (bias is null ? input.mm(transposed) : addmm(bias, input, transposed, beta: 1, alpha: 1)).MoveToOuterDisposeScope();
    }

    public Tensor Backward(Tensor input, Tensor outputGradient, Tensor? others)
    {
        using var scope = NewDisposeScope();
        if (others is null) return outputGradient.mm(matrix.Values()).MoveToOuterDisposeScope();
        others.addmm_(outputGradient, matrix.Values(), beta: 1, alpha: 1);
        return others;
    }

    public void Dispose()
    {
        matrix.Dispose();
        bias?.Dispose();
    }
}

/// <summary>
/// A frozen linear layer with adapters: y = x·Wᵀ + b + s·(x·Aᵀ)·Bᵀ. Of the way back only ∂A = s·(∂y·B)ᵀ·x and ∂B = s·∂yᵀ·(x·Aᵀ) are kept:
/// no gradient as large as W exists.
/// </summary>
internal sealed class AdaptedProjection : IProjection
{
    private readonly FrozenProjection frozen;
    private readonly LowRankPlace place;
    private readonly FlatGradient gradient;
    private readonly float scale;
    private readonly Tensor a; // [rank, in]
    private readonly Tensor b; // [out, rank]

    /// <param name="matrix">Disposed with this.</param>
    /// <param name="bias">In the products' precision; null without. Copied.</param>
    /// <param name="working">[adapters] in the products' precision; outlives this.</param>
    /// <param name="scale">s.</param>
    public AdaptedProjection(
        IFrozenMatrix matrix, Tensor? bias, LowRankPlace place, Tensor working, float scale, FlatGradient gradient)
    {
        (this.place, this.gradient, this.scale) = (place, gradient, scale);
        frozen = new FrozenProjection(matrix, bias);
        using var scope = NewDisposeScope();
        a = place.A(working).DetachFromDisposeScope();
        b = place.B(working).DetachFromDisposeScope();
    }

    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var output = frozen.Forward(input);
        output.addmm_(input.mm(a.t()), b.t(), beta: 1, alpha: scale);
        return output.MoveToOuterDisposeScope();
    }

    public Tensor Backward(Tensor input, Tensor outputGradient, Tensor? others)
    {
        using var scope = NewDisposeScope();
        var inner = outputGradient.mm(b).mul_(KeptScalar.Of(scale)); // [tokens, rank]
        gradient.AddProduct(place.Start, inner.t(), input);
        gradient.AddProduct(place.StartOfB, outputGradient.t(), input.mm(a.t()).mul_(KeptScalar.Of(scale)));
        var sum = frozen.Backward(input, outputGradient, others);
        sum.addmm_(inner, a, beta: 1, alpha: 1);
        return others ?? sum.MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        a.Dispose();
        b.Dispose();
        frozen.Dispose();
    }
}
