using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Autograd;

/// <summary>
/// Differentiates the reference decoder by autograd, one sequence at a time: plain, slow, works for every architecture.
/// What <see cref="FusedGradientModel"/> must agree with.
/// </summary>
internal sealed class TorchGradientModel : IGradientModel
{
    internal const int LogitsAtOnce = 1 << 24; // 64 MB: 341 tokens of a vocabulary of 49,152
    private readonly MatmulWeights matmulWeights;
    private readonly TorchDecoder decoder;
    private readonly TorchBody body;
    private readonly TorchHead head;
    private readonly FlatGradient gradient;
    private readonly LossScale? scale;

    /// <param name="parameters">Shared with the caller, who disposes them after this.</param>
    /// <param name="roundingSeed">Of the bf16 copy of the weights; null rounds it to nearest. Unused in fp32.</param>
    /// <param name="checkpointing">Keeps only what enters each layer and computes the rest again on the way back.</param>
    public TorchGradientModel(
        FlatParameters parameters, MatmulPrecision precision = MatmulPrecision.Fp32, ulong? roundingSeed = 1, bool checkpointing = false)
        : this(parameters, precision, roundingSeed, checkpointing, LogitsAtOnce)
    {
    }

    internal TorchGradientModel(
        FlatParameters parameters, MatmulPrecision precision, ulong? roundingSeed, bool checkpointing, int logitsAtOnce)
    {
        Parameters = parameters;
        matmulWeights = new MatmulWeights(parameters, precision, roundingSeed, Environment.ProcessorCount);
        decoder = new TorchDecoder(parameters, matmulWeights.Values, differentiable: true);
        body = new TorchBody(parameters, decoder, checkpointing);
        head = new TorchHead(parameters, decoder, logitsAtOnce);
        gradient = new FlatGradient(parameters);
        scale = precision == MatmulPrecision.Fp16 ? parameters.LossScale : null;
    }

    public FlatParameters Parameters { get; }

    public Tensor Gradient => gradient.Values;

    public PassResult Differentiate(IReadOnlyList<TrainingSequence> sequences, ITokenLoss loss) =>
        Differentiate(sequences, (batch, rows) => head.Differentiate(batch, rows, loss, gradient));

    public PassResult Differentiate(IReadOnlyList<TrainingSequence> sequences, IDistributionLoss loss) =>
        Differentiate(sequences, (batch, rows) => head.Differentiate(batch, rows, loss, gradient));

    public IReadOnlyList<float[]> Score(IReadOnlyList<TrainingSequence> sequences) =>
        Measure(sequences, (batch, rows) => head.Score(batch, rows, out _));

    public IReadOnlyList<float[]> Entropies(IReadOnlyList<TrainingSequence> sequences) => Measure(sequences, head.Entropies);

    public void Dispose()
    {
        gradient.Dispose();
        decoder.Dispose();
        matmulWeights.Dispose();
    }

    private List<float[]> Measure(IReadOnlyList<TrainingSequence> sequences, Func<TokenBatch, Tensor, float[]> measure)
    {
        matmulWeights.Refresh();
        var results = new List<float[]>();
        foreach (var sequence in sequences)
        {
            using var scope = NewDisposeScope();
            using var without = no_grad();
            var batch = new TokenBatch([sequence]);
            results.Add(measure(batch, body.Rows(batch)));
        }

        return results;
    }

    // A gradient that fp16 could not hold is computed again with a smaller scale: no batch is skipped.
    private PassResult Differentiate(IReadOnlyList<TrainingSequence> sequences, Func<TokenBatch, Tensor, HeadPass> differentiate)
    {
        matmulWeights.Refresh();
        while (true)
        {
            var result = Pass(sequences, differentiate);
            if (scale is null) return result;
            bool finite = FlatPasses.Of(Parameters.Device).AreFinite(gradient.Values);
            scale.Update(finite);
            if (finite || scale.Value < 1) return result; // what is not finite without a scale is for the optimizer to refuse
        }
    }

    private PassResult Pass(IReadOnlyList<TrainingSequence> sequences, Func<TokenBatch, Tensor, HeadPass> differentiate)
    {
        gradient.Clear();
        var sums = default(PassSums);
        foreach (var sequence in sequences)
        {
            using var scope = NewDisposeScope();
            var batch = new TokenBatch([sequence]);
            var pass = differentiate(batch, body.Forward(batch));
            body.Backward(batch, pass.RowGradient, gradient, scale?.Value ?? 1);
            sums += pass.Sums;
        }

        return sums.Over(sequences);
    }
}
