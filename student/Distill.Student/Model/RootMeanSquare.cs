namespace Distill.Student.Model;

/// <summary>RMS norm over the last dimension (Zhang and Sennrich 2019, arXiv 1910.07467), in plain TorchSharp operations.</summary>
internal static class RootMeanSquare
{
    /// <param name="weight">[last dimension of x]</param>
    public static Tensor Norm(Tensor x, Tensor weight, double epsilon) => x * (x * x).mean([-1], keepdim: true).add(KeptScalar.Of(epsilon)).rsqrt() * weight;
}
