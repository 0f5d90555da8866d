using System.Numerics.Tensors;

namespace Distill.Student.Fused;

/// <summary>What is reported of one predicted distribution, whatever loss is taken of it.</summary>
internal static class DistributionRow
{
    /// <param name="logits">[vocabulary], left as they are.</param>
    /// <param name="work">[vocabulary], overwritten.</param>
    /// <returns>Entropy in nats.</returns>
    public static double Measure(ReadOnlySpan<float> logits, int target, Span<float> work, out float logProbability)
    {
        float largest = TensorPrimitives.Max(logits);
        TensorPrimitives.Subtract(logits, largest, work);
        TensorPrimitives.Exp<float>(work, work);
        float total = TensorPrimitives.Sum<float>(work), logTotal = MathF.Log(total);
        logProbability = logits[target] - largest - logTotal;
        return logTotal + largest - TensorPrimitives.Dot(work, logits) / total;
    }
}
