using System.Numerics.Tensors;

namespace Distill.Generation;

/// <summary>log Σ exp in double: float sums over a large vocabulary lose the digits by which two systems are compared.</summary>
internal static class LogSoftmax
{
    private const int Block = 1024;

    /// <param name="logits">[vocab]</param>
    /// <returns>What is subtracted from a logit to make it a log-probability.</returns>
    /// <exception cref="InvalidDataException">The logits are not finite.</exception>
    public static double Normalizer(ReadOnlySpan<float> logits)
    {
        float max = TensorPrimitives.Max(logits);
        if (!float.IsFinite(max))
            throw new InvalidDataException($"The model's logits are not finite (largest: {max}): its weights are broken or it overflowed.");
        Span<double> work = stackalloc double[Block];
        double total = 0;
        for (int start = 0; start < logits.Length; start += Block)
        {
            var part = logits.Slice(start, Math.Min(Block, logits.Length - start));
            var values = work[..part.Length];
            TensorPrimitives.ConvertTruncating(part, values);
            TensorPrimitives.Subtract(values, max, values);
            TensorPrimitives.Exp<double>(values, values);
            total += TensorPrimitives.Sum<double>(values);
        }

        return max + Math.Log(total);
    }
}
