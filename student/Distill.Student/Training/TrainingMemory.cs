using Distill.Architecture;
using Distill.Student.Autograd;
using Distill.Student.Fused;
using Distill.Student.Model;
using TorchSharp;

namespace Distill.Student.Training;

/// <summary>
/// Most memory that a training holds at once, in bytes, predicted from shapes alone: every micro-batch is taken to be full and learned
/// throughout. Without the runtime (about 250 MB with libtorch), the examples and the saving of states, which copies the weights once.
/// </summary>
/// <param name="Weights">fp32 master weights, and the 16-bit copy of the layers in mixed precision.</param>
/// <param name="Optimizer">Both moments, and what <see cref="MuonUpdate"/> works with.</param>
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
    /// <param name="device">Where the weights lie: the memory is that device's.</param>
    public static TrainingMemory Of(
        DecoderArchitecture architecture, TrainingOptions options, int longestSequence, DeviceType device = DeviceType.CPU)
    {
        options = options.On(device);
        var memory = OfPasses(architecture, options, longestSequence, device);
        return options.Optimizer.Muon ? memory with { Optimizer = memory.Optimizer + MuonUpdate.MemoryOf(architecture) } : memory;
    }

    private static TrainingMemory OfPasses(
        DecoderArchitecture architecture, TrainingOptions options, int longestSequence, DeviceType device)
    {
        if (device == DeviceType.CPU && GradientModels.IsFused(architecture, options))
            return OfFused(architecture, options.Precision, options.Threads, Math.Max(options.MicroBatchTokens, longestSequence));
        var passes = AutogradOptions.Of(architecture, options, device);
        return OfAutograd(architecture, options.Precision, passes with { Capacity = Math.Max(passes.Capacity, longestSequence) });
    }

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

    /// <param name="options">Whose capacity is that of the longest sequence, if that is longer.</param>
    /// <param name="sharedPrompts">Whether examples may have one prompt: then the most of it that is copied counts.</param>
    public static TrainingMemory OfAutograd(
        DecoderArchitecture architecture, MatmulPrecision precision, AutogradOptions options, bool sharedPrompts = true)
    {
        var shape = new LayerShape(architecture, precision);
        long parameters = architecture.ParameterCount, vocabulary = architecture.VocabularySize, product = shape.Product;
        long rows = (long)options.Capacity * PromptGroup.Padding / (PromptGroup.Padding - 1);
        // Before attention and before the feed-forward: the residual stream and what is made of it; queries, keys, values and what
        // attention mixes of them, with its log-sum-exp; gate, up and their product. QK-norm adds what entered it.
        long heads = (long)architecture.Heads + architecture.KeyValueHeads;
        long norms = architecture.QueryKeyNorm ? (product * heads * architecture.HeadSize) + (Single * heads) : 0;
        long layer = rows * ((2 * (Single + product) * shape.Hidden) + (product * (shape.Queries + shape.Packed + (3 * shape.Wide)))
            + (Single * architecture.Heads) + norms);
        // Keys and values of shared prompts, behind which every continuation's own are copied; their gradients have a copy for each query.
        long copied = sharedPrompts ? product * PromptGroup.Copies * options.Capacity : 0;
        layer += copied * 2 * shape.Shared;
        long stream = Single * rows * shape.Hidden;
        long kept = options.Checkpointing ? (architecture.Layers * stream) + layer : architecture.Layers * layer;
        // On the way back through a feed-forward: the stream's gradient, those of gate, up, silu and their product, the norm's working
        // memory, and in 16 bits the gradient of one matrix before it is added.
        long passing = (3 * stream) + (product * rows * ((4 * shape.Wide) + (2 * shape.Hidden)))
            + (product == Single ? 0 : product * shape.Wide * shape.Hidden);
        // Likewise through attention: gradients of what it mixed, of queries, keys and values, and of the copies.
        long pulling = (3 * stream) + (product * rows * (shape.Queries + shape.Packed)) + (copied * 2 * (shape.Queries + shape.Shared));
        long chunk = Math.Min(rows, Math.Max(1, options.LogitsAtOnce / vocabulary));
        long head = (Single * 2 * chunk * vocabulary) + (4 * stream);
        long working = Math.Max(head, Math.Max(passing, pulling));
        return new(shape.WeightBytes, 2 * Single * parameters, Single * parameters, kept, working);
    }

    /// <summary>Widths of one layer, and bytes of a value in its products.</summary>
    private sealed class LayerShape(DecoderArchitecture a, MatmulPrecision precision)
    {
        public long Hidden => a.HiddenSize;

        public long Wide => a.IntermediateSize;

        public long Queries => (long)a.Heads * a.HeadSize;

        public long Shared => (long)a.KeyValueHeads * a.HeadSize;

        public long Packed => (a.Heads + (2L * a.KeyValueHeads)) * a.HeadSize;

        public long Product => precision == MatmulPrecision.Fp32 ? Single : 2;

        public long LayerParameters => a.ParameterCount - ((a.TieEmbeddings ? 1L : 2L) * a.VocabularySize * Hidden) - Hidden;

        public long WeightBytes => (Single * a.ParameterCount) + (precision == MatmulPrecision.Fp32 ? 0 : 2 * LayerParameters);
    }
}
