using System.Numerics.Tensors;
using Distill.Student.Model;

namespace Distill.Student.Fused;

/// <summary>RMS norm of whole rows (Zhang and Sennrich 2019, arXiv 1910.07467) with its backward pass; rows stay fp32, the result may be bf16.</summary>
internal static unsafe class RowNorm
{
    /// <param name="rows">[tokens, width]</param>
    /// <param name="normed">[tokens, width], receives the result.</param>
    /// <param name="inverseRms">[tokens], kept for the backward pass.</param>
    public static void Forward(float* rows, ReadOnlySpan<float> weight, NativeRows normed, Span<float> inverseRms, float epsilon, Span<float> scratch)
    {
        int width = weight.Length;
        for (int token = 0; token < inverseRms.Length; token++)
        {
            var row = new ReadOnlySpan<float>(rows + (long)token * width, width);
            float inverse = 1 / MathF.Sqrt(TensorPrimitives.SumOfSquares(row) / width + epsilon);
            inverseRms[token] = inverse;
            TensorPrimitives.Multiply(row, inverse, scratch);
            TensorPrimitives.Multiply(scratch, weight, scratch);
            normed.Store(token, scratch);
        }
    }

    /// <summary>Adds the gradient by the rows to <paramref name="rowGradient"/> and by the weight to <paramref name="weightGradient"/>; formulas as in <see cref="HeadNorm"/>.</summary>
    public static void Backward(float* rows, ReadOnlySpan<float> weight, NativeRows gradient, ReadOnlySpan<float> inverseRms, float* rowGradient, Span<float> weightGradient, Span<float> scratch)
    {
        int width = weight.Length;
        var incoming = scratch[..width];
        var normed = scratch.Slice(width, width);
        for (int token = 0; token < inverseRms.Length; token++)
        {
            var target = new Span<float>(rowGradient + (long)token * width, width);
            gradient.Load(token, incoming);
            TensorPrimitives.Multiply(new ReadOnlySpan<float>(rows + (long)token * width, width), inverseRms[token], normed);
            TensorPrimitives.MultiplyAdd(incoming, normed, weightGradient, weightGradient);
            TensorPrimitives.Multiply(incoming, weight, incoming);
            float mean = TensorPrimitives.Dot(incoming, normed) / width;
            TensorPrimitives.MultiplyAdd(normed, -mean, incoming, incoming);
            TensorPrimitives.MultiplyAdd(incoming, inverseRms[token], target, target);
        }
    }
}
