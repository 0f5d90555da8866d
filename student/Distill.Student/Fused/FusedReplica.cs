using System.Numerics.Tensors;
using Distill.Architecture;
using Distill.Student.Model;
using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Fused;

/// <summary>
/// A worker that runs micro-batches forward and backward on one thread, with activations of its own over
/// shared weights and gradient. The owner disposes it.
/// </summary>
internal sealed unsafe class FusedReplica : IDisposable
{
    private readonly FlatParameters parameters;
    private readonly ReplicaScratch scratch;
    private readonly FusedLayer[] layers;
    private readonly OutputHead head;
    private readonly NativeBuffer residual;
    private readonly NativeBuffer residualGradient;
    private readonly int hidden;
    private readonly long embeddingOffset;

    public FusedReplica(
        FlatParameters parameters, Tensor matmulValues, GradientShare gradient, HeadRotation rotation, int capacity, ScalarType precision)
    {
        var a = parameters.Architecture;
        this.parameters = parameters;
        hidden = a.HiddenSize;
        embeddingOffset = parameters.OffsetOf(ParameterMap.Embedding);
        scratch = new ReplicaScratch(a, capacity);
        layers = [.. Enumerable.Range(0, a.Layers)
            .Select(layer =>
                new FusedLayer(parameters, new LayerWeights(parameters, matmulValues, layer), layer, rotation, scratch, precision))];
        head = new OutputHead(parameters, scratch);
        residual = new NativeBuffer((long)capacity * hidden);
        residualGradient = new NativeBuffer((long)capacity * hidden);
        Gradient = gradient;
    }

    /// <summary>Disposed with the replica.</summary>
    public GradientShare Gradient { get; }

    public int Capacity => scratch.Capacity;

    /// <summary>Adds the batch's gradient to <see cref="Gradient"/>; sums are over learned tokens.</summary>
    public PassSums Differentiate(TokenBatch batch, ITokenLoss loss)
    {
        using var scope = NewDisposeScope();
        var logProbabilities = new float[batch.Targets.Length];
        var sums = Forward(batch, logProbabilities);
        var derivatives = new float[logProbabilities.Length];
        double value = loss.Evaluate(batch, logProbabilities, derivatives);
        head.Apply(batch, derivatives);
        Backward(batch);
        return sums with { Loss = value, LogProbability = TensorPrimitives.Sum<float>(logProbabilities) };
    }

    /// <summary>The same for a loss on whole distributions.</summary>
    public PassSums Differentiate(TokenBatch batch, IDistributionLoss loss)
    {
        using var scope = NewDisposeScope();
        var logProbabilities = new float[batch.Targets.Length];
        var sums = Forward(batch, logProbabilities, loss);
        Backward(batch);
        return sums with { LogProbability = TensorPrimitives.Sum<float>(logProbabilities) };
    }

    public float[] Score(TokenBatch batch)
    {
        using var scope = NewDisposeScope();
        var logProbabilities = new float[batch.Targets.Length];
        Forward(batch, logProbabilities);
        return logProbabilities;
    }

    public float[] Entropies(TokenBatch batch)
    {
        using var scope = NewDisposeScope();
        var entropies = new float[batch.Targets.Length];
        Forward(batch, new float[entropies.Length], entropies);
        return entropies;
    }

    public void Dispose()
    {
        foreach (var layer in layers) layer.Dispose();
        residual.Dispose();
        residualGradient.Dispose();
        scratch.Dispose();
        Gradient.Dispose();
    }

    private void Backward(TokenBatch batch)
    {
        head.Backward(batch, residualGradient.Pointer, Gradient);
        for (int layer = layers.Length - 1; layer >= 0; layer--) layers[layer].Backward(batch, residualGradient.Pointer, Gradient);
        Gradient.AddEmbedding(batch.Tokens, residualGradient.Pointer);
    }

    private PassSums Forward(TokenBatch batch, float[] logProbabilities, float[]? entropies = null)
    {
        using var without = no_grad();
        RunLayers(batch);
        return head.Forward(batch, residual.Pointer, logProbabilities, entropies);
    }

    private PassSums Forward(TokenBatch batch, float[] logProbabilities, IDistributionLoss loss)
    {
        using var without = no_grad();
        RunLayers(batch);
        return head.Forward(batch, residual.Pointer, logProbabilities, loss);
    }

    private void RunLayers(TokenBatch batch)
    {
        float* embedding = parameters.Pointer + embeddingOffset;
        for (int token = 0; token < batch.Tokens.Length; token++)
            new ReadOnlySpan<float>(embedding + (long)batch.Tokens[token] * hidden, hidden)
                .CopyTo(residual.Slice((long)token * hidden, hidden));
        foreach (var layer in layers) layer.Forward(batch, residual.Pointer);
    }
}
