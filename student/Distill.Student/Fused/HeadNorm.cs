using System.Runtime.Intrinsics;

namespace Distill.Student.Fused;

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
