using Distill.Student.Fused;
using static TorchSharp.torch;

namespace Distill.Student.Tests;

internal static class Vectors
{
    /// <summary>The values of a flat fp32 tensor on the CPU, in place.</summary>
    public static Span<float> Host(this Tensor values) => HostValues.Of(values);

    /// <summary>‖actual − expected‖ / ‖expected‖.</summary>
    public static double RelativeDifference(ReadOnlySpan<float> actual, ReadOnlySpan<float> expected)
    {
        double difference = 0, norm = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            difference += Math.Pow(actual[i] - expected[i], 2);
            norm += Math.Pow(expected[i], 2);
        }

        return Math.Sqrt(difference / norm);
    }
}
