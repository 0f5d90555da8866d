using Distill.Architecture;
using Distill.Student.Fused;

namespace Distill.Student.Training;

/// <summary>
/// Most memory that a training holds at once, in bytes, predicted from shapes alone: every micro-batch is taken to be full and learned
/// throughout. Without the runtime (about 250 MB with libtorch), the examples and the saving of states, which copies the weights once.
/// </summary>
/// <param name="Weights">fp32 master weights, and the 16-bit copy of the layers in mixed precision.</param>
/// <param name="Optimizer">Both moments.</param>
/// <param name="Gradients">One set, whatever the threads.</param>
/// <param name="Activations">Of all threads: what the layers keep for the way back, and their working memory.</param>
/// <param name="Head">Logits and the gradient of the output projection.</param>
internal sealed record TrainingMemory(long Weights, long Optimizer, long Gradients, long Activations, long Head)
{
    private const int Single = sizeof(float);

    /// <summary>The sum.</summary>
    public long Total => Weights + Optimizer + Gradients + Activations + Head;

    /// <summary>Predicts the passes that <see cref="GradientModels"/> would choose.</summary>
    /// <param name="longestSequence">Tokens of the longest example.</param>
    public static TrainingMemory Of(DecoderArchitecture architecture, TrainingOptions options, int longestSequence) =>
        GradientModels.IsFused(architecture, options)
            ? OfFused(architecture, options.Precision, options.Threads, Math.Max(options.MicroBatchTokens, longestSequence))
            : OfAutograd(architecture, options.Precision, options.ActivationCheckpointing, longestSequence);

    /// <param name="capacity">Tokens of a micro-batch.</param>
    public static TrainingMemory OfFused(DecoderArchitecture architecture, MatmulPrecision precision, int threads, int capacity)
    {
        var shape = new LayerShape(architecture, precision);
        long parameters = architecture.ParameterCount, stride = Math.Min(capacity, architecture.MaxPositions);
        long layer =
            capacity * ((2 * Single * (shape.Hidden + 1))
            + (shape.Product * ((2 * shape.Hidden) + shape.Queries + (3 * shape.Wide) + shape.Packed))
            + (Single * (shape.Packed + (2L * architecture.Heads) + architecture.KeyValueHeads)));
        long attention = Single * ((2 * stride * stride) + (7 * stride * architecture.HeadSize) + (capacity * shape.Packed));
        // On the way back one feed-forward: gradients of gate‖up and of the product, and one matrix's gradient.
        long passing = shape.Product * ((capacity * ((3 * shape.Wide) + (2 * shape.Hidden))) + (2 * shape.Wide * shape.Hidden));
        long residual = 2L * Single * capacity * shape.Hidden;
        long head = Single * (
            (capacity * ((long)architecture.VocabularySize + (4 * shape.Hidden))) + ((long)architecture.VocabularySize * shape.Hidden));
        // The head is done before the layers go back: the larger of the two counts.
        return new(shape.WeightBytes, 2 * Single * parameters, Single * parameters,
            threads * ((architecture.Layers * layer) + attention + residual), threads * Math.Max(head, passing));
    }

    /// <param name="longestSequence">Tokens; autograd takes one sequence at a time.</param>
    public static TrainingMemory OfAutograd(
        DecoderArchitecture architecture, MatmulPrecision precision, bool checkpointing, int longestSequence)
    {
        var shape = new LayerShape(architecture, precision);
        long parameters = architecture.ParameterCount, tokens = longestSequence;
        // Kept by autograd: both norms' input, scaled input and (fp32) result; rotated queries, repeated keys and values, attention's
        // result and its copy; gate, silu, up and (fp32) their product. Mixed precision keeps the casts in place of the fp32 results.
        bool half = precision != MatmulPrecision.Fp32;
        long single = (4 * shape.Hidden) + (4 * shape.Queries) + (3 * shape.Wide), cast = (2 * shape.Hidden) + shape.Queries + shape.Wide;
        long norms = architecture.QueryKeyNorm ? 2L * (architecture.Heads + architecture.KeyValueHeads) * architecture.HeadSize : 0;
        long layer = tokens * ((Single * (single + norms)) + ((half ? 2 : Single) * cast));
        long kept = checkpointing ? (architecture.Layers * tokens * shape.Hidden * Single) + layer : architecture.Layers * layer;
        long layerWeights = shape.LayerParameters / architecture.Layers * shape.Product;
        long passing = (Single * tokens * ((4 * shape.Wide) + (2 * shape.Hidden)))
            + (checkpointing ? layerWeights
            : (architecture.Layers * layerWeights) + ((long)architecture.VocabularySize * shape.Hidden * Single));
        long chunk = Math.Min(tokens, Math.Max(1, (1 << 24) / architecture.VocabularySize));
        long head = Single * (
            (3 * chunk * architecture.VocabularySize) + ((long)architecture.VocabularySize * shape.Hidden) + (3 * tokens * shape.Hidden));
        return new(shape.WeightBytes, 2 * Single * parameters, Single * parameters, kept, Math.Max(head, passing));
    }

    /// <summary>Widths of one layer, and bytes of a value in its products.</summary>
    private sealed class LayerShape(DecoderArchitecture a, MatmulPrecision precision)
    {
        public long Hidden => a.HiddenSize;

        public long Wide => a.IntermediateSize;

        public long Queries => (long)a.Heads * a.HeadSize;

        public long Packed => (a.Heads + (2L * a.KeyValueHeads)) * a.HeadSize;

        public long Product => precision == MatmulPrecision.Fp32 ? Single : 2;

        public long LayerParameters => a.ParameterCount - ((a.TieEmbeddings ? 1L : 2L) * a.VocabularySize * Hidden) - Hidden;

        public long WeightBytes => (Single * a.ParameterCount) + (precision == MatmulPrecision.Fp32 ? 0 : 2 * LayerParameters);
    }
}
