using Distill.Architecture;
using Distill.Student.Model;
using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Fused;

/// <summary>
/// Precision of the matrix products of the layers; master weights, residual stream, norms, softmax, output projection and summed gradients
/// stay fp32.
/// </summary>
public enum MatmulPrecision
{
    Fp32,

    /// <summary>bf16 products over fp32 weights.</summary>
    Mixed,

    /// <summary>With a <see cref="LossScale"/>, for devices without bf16; differentiated by autograd.</summary>
    Fp16,
}

/// <summary>
/// The decoder differentiated by hand on the CPU: one replica per thread over shared weights, each with its own sequences, so
/// no operation is ever split over threads. Small models spend their time between the matrix products; here that is one fused
/// pass per step. Deterministic for a given number of replicas: which sequence goes where depends on prompts and lengths alone.
/// </summary>
internal sealed class FusedGradientModel : IGradientModel
{
    private readonly FlatGradient gradient;
    private readonly GradientTurns turns = new();
    private readonly FusedReplica[] replicas;
    private readonly ReplicaThreads threads;
    private readonly MatmulWeights matmulWeights;
    private readonly BatchDistribution distribution;
    private readonly UnsplitProducts unsplit;

    /// <param name="parameters">Shared with the caller, who disposes them after this.</param>
    /// <param name="replicaCount">Threads.</param>
    /// <param name="capacity">Tokens of a micro-batch; bounds the memory for activations.</param>
    /// <param name="roundingSeed">Of the bf16 copy of the weights; null rounds it to nearest. Unused in fp32.</param>
    public FusedGradientModel(FlatParameters parameters, MatmulPrecision precision, int replicaCount, int capacity, ulong? roundingSeed = 1)
    {
        RequireSupported(parameters.Architecture);
        if (precision == MatmulPrecision.Fp16)
            throw new ArgumentException("The fused decoder computes in fp32 and bf16; fp16 is for autograd.", nameof(precision));
        Parameters = parameters;
        unsplit = new UnsplitProducts(); // every replica is one thread
        var scalar = precision == MatmulPrecision.Mixed ? ScalarType.BFloat16 : ScalarType.Float32;
        matmulWeights = new MatmulWeights(parameters, precision, roundingSeed, replicaCount);
        var rotation = new HeadRotation(parameters.Architecture, Math.Min(capacity, parameters.Architecture.MaxPositions));
        gradient = new FlatGradient(parameters);
        replicas = [.. Enumerable.Range(0, replicaCount)
            .Select(_ => new FusedReplica(
                parameters, matmulWeights.Values, new GradientShare(parameters, gradient, turns), rotation, capacity, scalar))];
        threads = new ReplicaThreads(replicaCount, UnsplitProducts.Enter);
        distribution = new BatchDistribution(replicaCount, capacity, parameters.Architecture.MaxPositions);
    }

    public FlatParameters Parameters { get; }

    public Tensor Gradient => gradient.Values;

    /// <summary>Whether the fused passes cover it; others train through <see cref="Autograd.AutogradGradientModel"/>.</summary>
    public static bool Supports(DecoderArchitecture architecture) => 
        architecture.HeadSize % 16 == 0 && architecture.ParameterCount <= int.MaxValue;

    public PassResult Differentiate(IReadOnlyList<TrainingSequence> sequences, ITokenLoss loss) =>
        Differentiate(sequences, (replica, batch) => replica.Differentiate(batch, loss));

    public PassResult Differentiate(IReadOnlyList<TrainingSequence> sequences, IDistributionLoss loss) =>
        Differentiate(sequences, (replica, batch) => replica.Differentiate(batch, loss));

    private PassResult Differentiate(
        IReadOnlyList<TrainingSequence> sequences, Func<FusedReplica, TokenBatch, PassSums> differentiate)
    {
        matmulWeights.Refresh();
        var sums = new PassSums[replicas.Length];
        var parts = distribution.Parts(sequences);
        int[] counts = [.. parts.Select(batches => batches.Count)];
        gradient.Clear();
        turns.Reset();
        threads.Run(index =>
            sums[index] = Differentiate(replicas[index], parts[index], round => MicroBatchTurn.Of(counts, round, index), differentiate));
        foreach (var replica in replicas) replica.Gradient.AddOwn();
        return sums.Aggregate((one, other) => one + other).Over(sequences);
    }

    private PassSums Differentiate(
        FusedReplica replica, IReadOnlyList<TokenBatch> batches, Func<int, MicroBatchTurn> turnOf,
        Func<FusedReplica, TokenBatch, PassSums> differentiate)
    {
        var sums = default(PassSums);
        replica.Gradient.Clear();
        try
        {
            foreach (var (round, batch) in batches.Index())
            {
                replica.Gradient.Begin(turnOf(round));
                sums += differentiate(replica, batch);
            }
        }
        catch
        {
            turns.Break(); // the others wait for what this one will not add
            throw;
        }

        return sums;
    }

    public IReadOnlyList<float[]> Score(IReadOnlyList<TrainingSequence> sequences) =>
        Measure(sequences, (replica, batch) => replica.Score(batch));

    public IReadOnlyList<float[]> Entropies(IReadOnlyList<TrainingSequence> sequences) =>
        Measure(sequences, (replica, batch) => replica.Entropies(batch));

    private IReadOnlyList<float[]> Measure(IReadOnlyList<TrainingSequence> sequences, Func<FusedReplica, TokenBatch, float[]> measure)
    {
        matmulWeights.Refresh();
        var results = new Dictionary<TrainingSequence, float[]>(ReferenceEqualityComparer.Instance);
        var parts = distribution.Parts(sequences);
        threads.Run(index =>
        {
            foreach (var batch in parts[index])
            {
                float[] scored = measure(replicas[index], batch);
                lock (results)
                {
                    for (int i = 0; i < batch.Sequences.Count; i++)
                        results[batch.Sequences[i]] = scored[batch.SupervisedStarts[i]..batch.SupervisedStarts[i + 1]];
                }
            }
        });
        return [.. sequences.Select(sequence => results[sequence])];
    }

    public void Dispose()
    {
        threads.Dispose();
        foreach (var replica in replicas) replica.Dispose();
        gradient.Dispose();
        matmulWeights.Dispose();
        unsplit.Dispose();
    }

    private static void RequireSupported(DecoderArchitecture architecture)
    {
        if (!Supports(architecture))
            throw new ArgumentException(
                $"The fused decoder needs a head size that is a multiple of 16 and at most {int.MaxValue:N0} parameters; this model has "
                + $"{architecture.HeadSize} and {architecture.ParameterCount:N0}.");
    }
}
