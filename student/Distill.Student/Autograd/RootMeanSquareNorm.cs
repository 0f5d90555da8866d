using Distill.Libtorch;
using static TorchSharp.torch;

namespace Distill.Student.Autograd;

/// <summary>
/// RMS norm of rows (Zhang and Sennrich 2019, arXiv 1910.07467) and its way back, in fp32 whatever enters: with r = 1 / √(mean x² + ε) the
/// result is y = x·r·w, and the gradient by x is r·(w·dy) − x·r³·(Σ x·w·dy) / width. One thread.
/// </summary>
/// <param name="name">Of the weight.</param>
internal sealed class RootMeanSquareNorm(IDecoderWeights weights, string name)
{
    private readonly Tensor weight = weights.Weight(name); // [width]
    private readonly long? offset = weights.GradientOffset(name);
    private readonly double epsilon = weights.Architecture.RmsNormEpsilon;

    /// <param name="x">[rows, width]</param>
    /// <returns>[rows, width] fp32, and [rows, 1]: r of each row. In the caller's dispose scope.</returns>
    public (Tensor Normed, Tensor Inverse) Forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        x = x.to(ScalarType.Float32);
        var norms = linalg.vector_norm(x, 2, [-1], keepdim: true);
        var inverse = norms.mul_(norms).mul_(KeptScalar.Of(1.0 / x.shape[^1])).add_(KeptScalar.Of(epsilon), KeptScalar.One).rsqrt_();
        return (x.mul(inverse).mul_(weight).MoveToOuterDisposeScope(), inverse.MoveToOuterDisposeScope());
    }

    /// <summary>Adds the gradient of the weight, unless it is frozen.</summary>
    /// <param name="x">As given to <see cref="Forward"/>.</param>
    /// <param name="inverse">As given by it.</param>
    /// <param name="slopes">[rows, width]: gradient by the result.</param>
    /// <param name="sum">[rows, width] fp32: the gradient by x is added to it.</param>
    public void Backward(Tensor x, Tensor inverse, Tensor slopes, Tensor sum)
    {
        using var scope = NewDisposeScope();
        slopes = slopes.to(ScalarType.Float32); // before any product: fp16 ends at 65,504
        var products = x.mul(slopes);
        if (offset is { } place) weights.Gradient.Add(place, products.t().mv(inverse.squeeze(1)));
        var shares = products.mv(weight).unsqueeze(1).mul_(inverse.pow(KeptScalar.Of(3))); // [rows, 1]
        sum.addcmul_(slopes.mul(weight), inverse, KeptScalar.Of(1)).addcmul_(x, shares, KeptScalar.Of(-1.0 / x.shape[^1]));
    }
}
