using System.Numerics.Tensors;
using System.Runtime.Intrinsics;

namespace Distill.Student.Fused;

/// <summary>
/// RMS norm of whole rows (Zhang and Sennrich 2019, arXiv 1910.07467) with its backward pass; rows stay fp32, the result may be bf16.
/// </summary>
internal static unsafe class RowNorm
{
    /// <param name="rows">[tokens, width]</param>
    /// <param name="normed">[tokens, width], receives the result.</param>
    /// <param name="inverseRms">[tokens], kept for the backward pass.</param>
    public static void Forward(
        float* rows, ReadOnlySpan<float> weight, NativeRows normed, Span<float> inverseRms, float epsilon, Span<float> scratch)
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

    /// <summary>
    /// Adds the gradient by the rows to <paramref name="rowGradient"/> and by the weight to <paramref name="weightGradient"/>; formulas as
    /// in <see cref="HeadNorm"/>.
    /// </summary>
    public static void Backward(
        float* rows, ReadOnlySpan<float> weight, NativeRows gradient, ReadOnlySpan<float> inverseRms, float* rowGradient,
        Span<float> weightGradient, Span<float> scratch)
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

/// <summary>RMS norm of one head (QK-norm of Qwen3), head size a multiple of 8.</summary>
internal static unsafe class HeadNorm
{
    public static float InverseRms(float* head, int size, float epsilon)
    {
        var sum = Vector256<float>.Zero;
        for (int i = 0; i < size; i += 8)
        {
            var x = Vector256.Load(head + i);
            sum += x * x;
        }

        return 1 / MathF.Sqrt(Vector256.Sum(sum) / size + epsilon);
    }

    /// <summary>head ← head · inverseRms · weight</summary>
    public static void Apply(float* head, float* weight, int size, float inverseRms)
    {
        for (int i = 0; i < size; i += 8) (Vector256.Load(head + i) * inverseRms * Vector256.Load(weight + i)).Store(head + i);
    }

    /// <summary>
    /// gradient ← derivative by the input, weightGradient += derivative by the weight, where x̂ = input · r:
    /// dw = g·x̂, dx = r·(g·w − x̂·mean(g·w·x̂)).
    /// </summary>
    public static void Backward(float* input, float* gradient, float* weight, float* weightGradient, int size, float inverseRms)
    {
        var dot = Vector256<float>.Zero;
        for (int i = 0; i < size; i += 8)
        {
            var normed = Vector256.Load(input + i) * inverseRms;
            var product = Vector256.Load(gradient + i) * normed;
            (Vector256.Load(weightGradient + i) + product).Store(weightGradient + i);
            dot += product * Vector256.Load(weight + i);
        }

        float mean = Vector256.Sum(dot) / size;
        for (int i = 0; i < size; i += 8)
        {
            var normed = Vector256.Load(input + i) * inverseRms;
            ((Vector256.Load(gradient + i) * Vector256.Load(weight + i) - normed * mean) * inverseRms).Store(gradient + i);
        }
    }
}
