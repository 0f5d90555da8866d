using System.Runtime.InteropServices;
using Distill.Architecture;
using Distill.Libtorch;
using Distill.Student.Fused;
using Distill.Student.Training;

namespace Distill.Student.Autograd;

/// <summary>
/// How many tokens a card reads at once. In small micro-batches starting the kernels takes the time, not computing: on an H200 a step of
/// 135 million parameters reads 33,000 tokens a second in micro-batches of 2,048 tokens, 61,000 in those of 4,096, 85,000 in those of
/// 8,192 and 92,000 in those of 16,384.
/// </summary>
internal static class MicroBatchSize
{
    private const int Least = 2048, Most = 16_384;

    private const long MostActivationBytes = 8L << 30;

    // Weights, moments, logits and what the student's own completions take need the rest.
    private const int ShareOfCard = 4;

    private static readonly string[] s_tooLittle = ["CUDA out of memory", "CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED"];

    private static readonly Lazy<long?> s_card = new(() => CudaDriver.Look().Cards is [var card, ..] ? card.MemoryBytes : null);

    /// <returns>
    /// The most tokens, by halves from 16,384, whose activations are predicted to take no more than 8 GiB, and no more than a quarter of
    /// the card.
    /// </returns>
    /// <param name="options">Whose capacity is the least.</param>
    public static int On(DecoderArchitecture architecture, MatmulPrecision precision, AutogradOptions options) =>
        On(architecture, precision, options, s_card.Value);

    /// <param name="card">Bytes of the card's memory; null where it is not known.</param>
    /// <inheritdoc cref="On(DecoderArchitecture, MatmulPrecision, AutogradOptions)"/>
    internal static int On(DecoderArchitecture architecture, MatmulPrecision precision, AutogradOptions options, long? card)
    {
        long room = Math.Min(MostActivationBytes, card / ShareOfCard ?? long.MaxValue);
        int tokens = Most;
        while (tokens > Least
            && TrainingMemory.OfAutograd(architecture, precision, options with { Capacity = tokens }).Activations > room)
        {
            tokens /= 2;
        }

        return Math.Max(tokens, options.Capacity);
    }

    /// <returns>The half, where the fault is that a card has no memory left for more; null: it is another fault, or as small as can be.
    /// </returns>
    public static int? Below(int tokens, ExternalException fault) =>
        tokens > Least && s_tooLittle.Any(words => fault.Message.Contains(words, StringComparison.Ordinal)) ? Math.Max(Least, tokens / 2)
            : null;
}
