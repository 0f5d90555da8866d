using Distill.Libtorch;
using static TorchSharp.torch;

namespace Distill.Student.Model;

/// <summary>RMS norm over the last dimension (Zhang and Sennrich 2019, arXiv 1910.07467), in plain TorchSharp operations.</summary>
internal static class RootMeanSquare
{
    /// <param name="weight">[last dimension of x]</param>
    public static Tensor Norm(Tensor x, Tensor weight, double epsilon) =>
        x * (x * x).mean([-1], keepdim: true).add(KeptScalar.Of(epsilon), KeptScalar.One).rsqrt() * weight;
}

/// <summary>A linear projection in the weight's precision between fp32 activations.</summary>
internal static class MixedLinear
{
    /// <param name="x">[…, in] fp32</param>
    /// <param name="weight">[out, in] fp32 or bf16</param>
    /// <param name="bias">[out] like the weight, or null.</param>
    /// <returns>[…, out] fp32</returns>
    public static Tensor Forward(Tensor x, Tensor weight, Tensor? bias) => weight.dtype == ScalarType.Float32
        ? nn.functional.linear(x, weight, bias)
        : nn.functional.linear(x.to(weight.dtype), weight, bias).to(ScalarType.Float32);
}
