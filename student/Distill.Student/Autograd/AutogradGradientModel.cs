using System.Runtime.InteropServices;
using Distill.Architecture;
using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Distill.Student.Autograd;

/// <summary>How <see cref="AutogradGradientModel"/> works; nothing here but <paramref name="Threads"/> and TF32 moves a result
/// by more than the order of sums.</summary>
/// <param name="Capacity">Tokens of a micro-batch; a longer sequence is one by itself.</param>
/// <param name="Threads">Of the processor, where the weights lie in its memory.</param>
/// <param name="Checkpointing">Keeps only what enters each layer and computes the rest again on the way back.</param>
/// <param name="AllowTf32">
/// Lets CUDA round the factors of fp32 products to TF32 (ten bits of fraction), in every precision: the output projection, and with it
/// the log-probabilities, is fp32 even where the layers' products are 16-bit.
/// </param>
internal sealed record AutogradOptions(int Capacity = 2048, int Threads = 2, bool Checkpointing = false, bool AllowTf32 = false)
{
    /// <summary>Logits that may exist at once: what is fast to walk through on a processor, and keeps a device busy.</summary>
    public long LogitsAtOnce { get; init; } = 1 << 24; // 64 MB: 341 tokens of a vocabulary of 49,152

    public static AutogradOptions Of(DecoderArchitecture architecture, TrainingOptions options, DeviceType device)
    {
        var chosen = new AutogradOptions(options.MicroBatchTokens, options.Threads, options.ActivationCheckpointing, options.AllowTf32)
        {
            LogitsAtOnce = device == DeviceType.CPU ? 1 << 24 : 1 << 28,
        };
        return device == DeviceType.CUDA ? chosen with { Capacity = MicroBatchSize.On(architecture, options.Precision, chosen) } : chosen;
    }
}

/// <summary>
/// Differentiates a decoder by tensor operations on any device, micro-batches of sequences of like length at a time, and any architecture.
/// Attention and SiLU are differentiated by autograd, whose kernels know their way back; everything between is written out, so that
/// gradients of weights are added where they belong and nothing is kept that is not needed. One thread.
/// </summary>
internal sealed class AutogradGradientModel : IGradientModel
{
    private readonly IDecoderWeights weights;
    private readonly AutogradOptions options;
    private readonly RotaryRows rotary;
    private readonly DecoderPasses body;
    private readonly LogitsHead head;
    private readonly LossScale? scale;
    private MicroBatches microBatches;

    /// <param name="parameters">Shared with the caller, who disposes them after this.</param>
    /// <param name="roundingSeed">Of the bf16 copy of the weights; null rounds it to nearest. Unused in fp32.</param>
    public AutogradGradientModel(
        FlatParameters parameters, MatmulPrecision precision = MatmulPrecision.Fp32, ulong? roundingSeed = 1,
        AutogradOptions? options = null, IDeviceOperations? operations = null)
        : this(
            parameters, new TrainedWeights(parameters, precision, roundingSeed, (options ?? new AutogradOptions()).Threads), options,
            operations)
    {
    }

    /// <param name="parameters">What the model is called by; the passes read <paramref name="weights"/> alone.</param>
    /// <param name="weights">Disposed with this.</param>
    public AutogradGradientModel(
        FlatParameters parameters, IDecoderWeights weights, AutogradOptions? options = null, IDeviceOperations? operations = null)
    {
        (Parameters, this.weights) = (parameters, weights);
        this.options = options ?? new AutogradOptions();
        operations ??= DeviceOperations.Instance;
        microBatches = new MicroBatches(this.options.Capacity, weights.Architecture.MaxPositions);
        rotary = new RotaryRows(weights.Architecture, weights.Device);
        body = new DecoderPasses(weights, operations, this.options.Checkpointing);
        head = new LogitsHead(weights, operations, this.options.LogitsAtOnce);
        scale = weights.Precision == ScalarType.Float16 ? parameters.LossScale : null;
    }

    public FlatParameters Parameters { get; }

    public Tensor Gradient => weights.Gradient.Values;

    public PassResult Differentiate(IReadOnlyList<TrainingSequence> sequences, ITokenLoss loss) =>
        Differentiate(sequences, (batch, rows) => head.Differentiate(batch, rows, loss));

    public PassResult Differentiate(IReadOnlyList<TrainingSequence> sequences, IDistributionLoss loss) =>
        Differentiate(sequences, (batch, rows) => head.Differentiate(batch, rows, loss));

    public IReadOnlyList<float[]> Score(IReadOnlyList<TrainingSequence> sequences) =>
        Measure(sequences, sums => sums.LogProbabilities);

    public IReadOnlyList<float[]> Entropies(IReadOnlyList<TrainingSequence> sequences) => Measure(sequences, sums => sums.Entropies);

    public void Dispose()
    {
        rotary.Dispose();
        weights.Dispose();
    }

    private IReadOnlyList<float[]> Measure(IReadOnlyList<TrainingSequence> sequences, Func<RowSums, float[]> choose)
    {
        var results = new Dictionary<TrainingSequence, float[]>(ReferenceEqualityComparer.Instance);
        Run(() =>
        {
            foreach (var tokens in microBatches.Of(sequences))
            {
                using var scope = NewDisposeScope();
                var batch = new DeviceBatch(tokens, rotary, weights);
                float[] measured = choose(head.Score(batch, body.Rows(batch)));
                for (int i = 0; i < tokens.Sequences.Count; i++)
                    results[tokens.Sequences[i]] = measured[tokens.SupervisedStarts[i]..tokens.SupervisedStarts[i + 1]];
            }

            return results;
        });
        return [.. sequences.Select(sequence => results[sequence])];
    }

    // A gradient that fp16 could not hold is computed again with a smaller scale: no batch is skipped.
    private PassResult Differentiate(IReadOnlyList<TrainingSequence> sequences, Func<DeviceBatch, Tensor, HeadPass> differentiate) =>
        Run(() =>
        {
            while (true)
            {
                var result = Pass(sequences, differentiate);
                if (scale is null) return result;
                bool finite = weights.Passes.AreFinite(Gradient); // of adapters, where these lie
                scale.Update(finite);
                if (finite || scale.Value < 1) return result; // what is not finite without a scale is for the optimizer to refuse
            }
        });

    private PassResult Pass(IReadOnlyList<TrainingSequence> sequences, Func<DeviceBatch, Tensor, HeadPass> differentiate)
    {
        weights.Gradient.Clear();
        var sums = default(PassSums);
        foreach (var tokens in microBatches.Of(sequences))
        {
            using var scope = NewDisposeScope();
            var batch = new DeviceBatch(tokens, rotary, weights);
            using var trace = body.Forward(batch);
            var pass = differentiate(batch, trace.Rows);
            body.Backward(batch, trace, pass.RowGradient, scale?.Value ?? 1);
            sums += pass.Sums;
        }

        return sums.Over(sequences);
    }

    // Settings of libtorch are the process's and other models'; they are put back. A pass for which the card's memory is too little is
    // done again in smaller micro-batches, as are all that follow.
    private T Run<T>(Func<T> pass)
    {
        using var without = no_grad();
        using var settings = ComputeSettings.Of(weights, options);
        weights.Refresh();
        while (true)
        {
            try
            {
                return pass();
            }
            catch (ExternalException fault) when (MicroBatchSize.Below(microBatches.Capacity, fault) is { } smaller)
            {
                microBatches = microBatches.With(smaller);
            }
        }
    }
}

/// <summary>libtorch's settings for the length of a pass; disposing puts the earlier ones back.</summary>
internal sealed class ComputeSettings : IDisposable
{
    private readonly Action restore;

    private ComputeSettings(Action restore) => this.restore = restore;

    public static ComputeSettings Of(IDecoderWeights weights, AutogradOptions options)
    {
        if (weights.Device.type == DeviceType.CUDA)
        {
            bool before = backends.cuda.matmul.allow_tf32;
            backends.cuda.matmul.allow_tf32 = options.AllowTf32;
            return new ComputeSettings(() => backends.cuda.matmul.allow_tf32 = before);
        }

        int threads = get_num_threads();
        if (weights.Device.type == DeviceType.CPU) set_num_threads(options.Threads);
        return new ComputeSettings(() => set_num_threads(threads));
    }

    public void Dispose() => restore();
}
