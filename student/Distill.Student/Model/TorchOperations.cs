using System.Collections.Concurrent;
using TorchSharp;
using static TorchSharp.torch;

namespace Distill.Student.Model;

/// <summary>
/// Numbers as libtorch's scalars, kept for good. TorchSharp 0.107 frees a scalar's native memory when its object is collected, and an
/// object made for one call may be collected while the call still reads it: a collection on another thread then ends the process.
/// Thread-safe.
/// </summary>
internal static class KeptScalar
{
    private static readonly ConcurrentDictionary<double, Scalar> Kept = new();

    /// <summary>
    /// The factor of a sum. An addition that is given none makes a scalar for it, as does every operator with a number.
    /// </summary>
    public static Scalar One { get; } = Of(1);

    public static Scalar Of(double value) => Kept.GetOrAdd(value, number => number.ToScalar());
}

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
