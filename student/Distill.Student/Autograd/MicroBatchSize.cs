using System.Runtime.InteropServices;
using Distill.Architecture;
using Distill.Student.Fused;
using Distill.Student.Training;

namespace Distill.Student.Autograd;

/// <summary>
/// How many tokens a card reads at once. A small micro-batch takes nearly as long as a large one, because what takes the time is starting
/// the kernels: on an H200 a step of 135 million parameters reads 33,000 tokens a second in micro-batches of 2,048 tokens, 85,000 in
/// those of 8,192 and 92,000 in those of 16,384.
/// </summary>
internal static class MicroBatchSize
{
    private const int Least = 2048, Most = 16_384;

    private const long ActivationBytes = 8L << 30;

    /// <returns>The most tokens, by halves from 16,384, whose activations are predicted to take no more than 8 GiB.</returns>
    /// <param name="options">Whose capacity is the least.</param>
    public static int On(DecoderArchitecture architecture, MatmulPrecision precision, AutogradOptions options)
    {
        int tokens = Most;
        while (tokens > Least
            && TrainingMemory.OfAutograd(architecture, precision, options with { Capacity = tokens }).Activations > ActivationBytes)
        {
            tokens /= 2;
        }

        return Math.Max(tokens, options.Capacity);
    }

    /// <returns>The half, where the fault is that a card has no memory left for more; null: it is another fault, or as small as can be.
    /// </returns>
    public static int? Below(int tokens, ExternalException fault) =>
        tokens > Least && fault.Message.Contains("CUDA out of memory", StringComparison.Ordinal) ? Math.Max(Least, tokens / 2) : null;
}
