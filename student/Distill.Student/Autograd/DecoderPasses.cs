using Distill.Architecture;
using Distill.Libtorch;
using static TorchSharp.torch;

namespace Distill.Student.Autograd;

/// <summary>
/// The decoder from the token ids to the final norm, and the way back, whole or with activation checkpointing (Chen et al. 2016, arXiv
/// 1604.06174): then only what enters each layer is kept, and the way back runs the layers forward once more, one at a time. All calls of
/// one micro-batch lie in one dispose scope. One thread.
/// </summary>
internal sealed class DecoderPasses
{
    private readonly IDecoderWeights weights;
    private readonly IDeviceOperations operations;
    private readonly bool checkpointing;
    private readonly (SelfAttention Attention, FeedForward FeedForward)[] layers;
    private readonly RootMeanSquareNorm finalNorm;
    private readonly Tensor embedding; // [vocabulary, hidden]
    private readonly long? embeddingOffset;

    public DecoderPasses(IDecoderWeights weights, IDeviceOperations operations, bool checkpointing)
    {
        (this.weights, this.operations, this.checkpointing) = (weights, operations, checkpointing);
        layers = [.. Enumerable.Range(0, weights.Architecture.Layers)
            .Select(layer => (new SelfAttention(weights, layer, operations), new FeedForward(weights, layer)))];
        finalNorm = new RootMeanSquareNorm(weights, ParameterMap.FinalNorm);
        embedding = weights.Weight(ParameterMap.Embedding);
        embeddingOffset = weights.GradientOffset(ParameterMap.Embedding);
    }

    /// <returns>[supervised, hidden] fp32: normed, where a learned token is predicted from. Nothing is kept.</returns>
    public Tensor Rows(DeviceBatch batch)
    {
        using var scope = NewDisposeScope();
        var x = operations.Rows(embedding, batch.Ids);
        for (int layer = 0; layer < layers.Length; layer++)
        {
            using var before = x;
            x = Run(x, layer, batch, null);
        }

        return finalNorm.Forward(operations.Rows(x, batch.PredictedFrom)).Normed.MoveToOuterDisposeScope();
    }

    /// <summary>The same, with what the way back needs. Dispose the result.</summary>
    public DecoderTrace Forward(DeviceBatch batch)
    {
        var trace = new DecoderTrace();
        try
        {
            Fill(trace, batch);
            return trace;
        }
        catch
        {
            trace.Dispose(); // what it keeps no scope knows; whoever tries again with less needs the room
            throw;
        }
    }

    /// <param name="rowGradient">[supervised, hidden] fp32: by <see cref="DecoderTrace.Rows"/>.</param>
    /// <param name="scale">
    /// What gradients are multiplied by on the way, a power of two; what is added to the weights' gradient is not.
    /// </param>
    public void Backward(DeviceBatch batch, DecoderTrace trace, Tensor rowGradient, double scale = 1)
    {
        using var scope = NewDisposeScope();
        weights.Gradient.Factor = 1 / scale;
        if (scale != 1) rowGradient = rowGradient.mul(KeptScalar.Of(scale));
        var last = zeros_like(trace.Last);
        finalNorm.Backward(trace.Last, trace.LastInverse, rowGradient, last);
        var gradient = zeros([batch.Ids.shape[0], weights.Architecture.HiddenSize], ScalarType.Float32, weights.Device);
        gradient.index_add_(0, batch.PredictedFrom, last, KeptScalar.Of(1));
        for (int layer = layers.Length - 1; layer >= 0; layer--)
        {
            using var kept = checkpointing ? Again(trace.Entered[layer], layer, batch) : trace.Layers[layer];
            layers[layer].FeedForward.Backward(kept, gradient);
            layers[layer].Attention.Backward(kept, batch, gradient);
            trace.Entered[layer].Dispose();
        }

        if (embeddingOffset is { } offset)
            weights.Gradient.AddRows(offset, embedding.shape, batch.Ids, gradient);
        weights.Gradient.Factor = 1;
    }

    private void Fill(DecoderTrace trace, DeviceBatch batch)
    {
        using var scope = NewDisposeScope();
        var x = trace.Enter(operations.Rows(embedding, batch.Ids));
        for (int layer = 0; layer < layers.Length; layer++)
        {
            x = Run(x, layer, batch, checkpointing ? null : trace.NewLayer());
            if (layer + 1 < layers.Length) trace.Enter(x);
        }

        var last = operations.Rows(x, batch.PredictedFrom);
        var (normed, inverse) = finalNorm.Forward(last);
        trace.End(last, inverse, normed);
    }

    private LayerTrace Again(Tensor x, int layer, DeviceBatch batch)
    {
        var trace = new LayerTrace();
        try
        {
            Run(x, layer, batch, trace).Dispose();
            return trace;
        }
        catch
        {
            trace.Dispose();
            throw;
        }
    }

    private Tensor Run(Tensor x, int layer, DeviceBatch batch, LayerTrace? trace)
    {
        var middle = layers[layer].Attention.Forward(x, batch, trace);
        var after = layers[layer].FeedForward.Forward(middle, trace);
        if (trace is null) middle.Dispose();
        return after;
    }
}

/// <summary>What a micro-batch keeps between forward and backward. Dispose it.</summary>
internal sealed class DecoderTrace : IDisposable
{
    private readonly List<Tensor> entered = [];
    private readonly List<LayerTrace> layers = [];
    private readonly List<Tensor> end = [];

    /// <summary>[rows, hidden] each: the residual stream before every layer.</summary>
    public IReadOnlyList<Tensor> Entered => entered;

    /// <summary>None under checkpointing.</summary>
    public IReadOnlyList<LayerTrace> Layers => layers;

    /// <summary>[supervised, hidden]: the residual stream where learned tokens are predicted from.</summary>
    public Tensor Last => end[0];

    /// <summary>[supervised, 1]: r of the final norm.</summary>
    public Tensor LastInverse => end[1];

    /// <summary>[supervised, hidden] fp32: normed.</summary>
    public Tensor Rows => end[2];

    public Tensor Enter(Tensor x)
    {
        entered.Add(x.DetachFromDisposeScope());
        return x;
    }

    public LayerTrace NewLayer()
    {
        layers.Add(new LayerTrace());
        return layers[^1];
    }

    public void End(Tensor last, Tensor inverse, Tensor normed)
    {
        foreach (var tensor in (Tensor[])[last, inverse, normed]) end.Add(tensor.DetachFromDisposeScope());
    }

    public void Dispose()
    {
        foreach (var layer in layers) layer.Dispose();
        foreach (var tensor in entered.Concat(end)) tensor.Dispose();
    }
}
