using System.Numerics.Tensors;
using Distill.Student.Training;

namespace Distill.Student.Fused;

/// <summary>What is reported of one predicted distribution, whatever loss is taken of it.</summary>
internal static class DistributionRow
{
    /// <param name="logits">[vocabulary], left as they are.</param>
    /// <param name="work">[vocabulary], overwritten.</param>
    /// <returns>Loss is left at 0.</returns>
    public static PassSums Measure(ReadOnlySpan<float> logits, int target, Span<float> work, out float logProbability)
    {
        float largest = TensorPrimitives.Max(logits);
        TensorPrimitives.Subtract(logits, largest, work);
        TensorPrimitives.Exp<float>(work, work);
        float total = TensorPrimitives.Sum<float>(work), logTotal = MathF.Log(total);
        logProbability = logits[target] - largest - logTotal;
        double entropy = logTotal + largest - TensorPrimitives.Dot(work, logits) / total;
        return new PassSums(0, logProbability, entropy, logits[target] == largest ? 1 : 0);
    }
}
