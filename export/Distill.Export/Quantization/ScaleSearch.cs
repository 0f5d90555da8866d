using System.Runtime.Intrinsics;

namespace Distill.Export.Quantization;

/// <summary>How the scale of a block is chosen.</summary>
internal enum ScaleRule
{
    /// <summary>The signed extreme takes code −2^(bits−1), as ONNX Runtime's default quantizer has it.</summary>
    Extreme,

    /// <summary>The scale of least weighted squared error among candidates around the extreme's, each refined by least squares.</summary>
    LeastSquares,
}

/// <summary>
/// The scale of one block of weights. For given codes c the weighted squared error Σ d·(w − s·c)² is least at s = Σ d·w·c / Σ d·c²;
/// codes come
/// from candidate scales, of both signs because the codes reach one further below than above. Always in lanes of 256 bits, so that every
/// machine adds up in the same order. Immutable.
/// </summary>
internal sealed class ScaleSearch(BlockLayout layout)
{
    // Shares of the extreme's scale: below one, a few weights are clipped and all others lie on a finer grid.
    private static readonly float[] Shares = [.. Enumerable.Range(0, 17).Select(step => 1.08f - (0.03f * step))];

    /// <param name="weights">[block size]: zeros where a row ends within the block.</param>
    /// <param name="importance">[block size], d: not negative.</param>
    public float Of(ReadOnlySpan<float> weights, ReadOnlySpan<float> importance, ScaleRule rule)
    {
        float extreme = 0;
        foreach (float weight in weights)
            if (Math.Abs(weight) > Math.Abs(extreme)) extreme = weight;
        if (rule == ScaleRule.Extreme || extreme == 0) return extreme / -layout.Middle;
        float best = extreme / -layout.Middle;
        double most = -1; // of (Σ d·w·c)² / Σ d·c², which is what the error lacks of Σ d·w²
        foreach (float share in Shares)
        {
            Try(weights, importance, extreme / -layout.Middle * share, ref best, ref most);
            Try(weights, importance, extreme / (layout.Middle - 1) * share, ref best, ref most);
        }

        return best;
    }

    private void Try(ReadOnlySpan<float> weights, ReadOnlySpan<float> importance, float scale, ref float best, ref double most)
    {
        var inverse = Vector256.Create(1 / scale);
        var low = Vector256.Create((float)-layout.Middle);
        var high = Vector256.Create(layout.Middle - 1f);
        Vector256<float> above = Vector256<float>.Zero, below = Vector256<float>.Zero;
        for (int i = 0; i < weights.Length; i += Vector256<float>.Count)
        {
            var w = Vector256.Create(weights[i..]);
            var c = Vector256.Min(Vector256.Max(Vector256.Round(w * inverse), low), high);
            var dc = Vector256.Create(importance[i..]) * c;
            above += dc * w;
            below += dc * c;
        }

        double numerator = Vector256.Sum(above), denominator = Vector256.Sum(below);
        if (denominator <= 0) return;
        double gain = numerator * numerator / denominator;
        if (gain <= most) return;
        (best, most) = ((float)(numerator / denominator), gain);
    }
}
