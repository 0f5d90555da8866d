using Distill.Architecture;
using Distill.Student.Model;
using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Autograd;

/// <summary>
/// The decoder up to the final norm, differentiated by autograd, whole or with activation checkpointing (Chen et al. 2016, arXiv
/// 1604.06174): then only what enters each layer is kept, and the way back runs the layers forward once more, one at a time. All calls of
/// one sequence lie in one dispose scope. One thread.
/// </summary>
internal sealed class TorchBody
{
    private readonly TorchDecoder decoder;
    private readonly Segment[] segments;
    private readonly List<Tensor> entered = []; // what entered each segment
    private double unscale = 1;
    private Tensor? rows;                       // with the graph of the last segment

    public TorchBody(FlatParameters parameters, TorchDecoder decoder, bool checkpointing)
    {
        this.decoder = decoder;
        int layers = decoder.Architecture.Layers;
        segments = [.. checkpointing ? Enumerable.Range(0, layers).Select(layer => Cut(parameters, layer, layer + 1))
            : [Cut(parameters, 0, layers)]];
    }

    /// <summary>What <see cref="Forward"/> gives, for a caller that wants no gradient.</summary>
    public Tensor Rows(TokenBatch batch) => segments.Aggregate(Ids(batch), (input, segment) => Run(segment, input, batch));

    /// <param name="batch">One sequence.</param>
    /// <returns>[supervised, hidden]: normed, where a learned token is predicted from; without a graph.</returns>
    public Tensor Forward(TokenBatch batch)
    {
        entered.Clear();
        entered.Add(Ids(batch));
        using (no_grad())
        {
            foreach (var segment in segments[..^1]) entered.Add(Run(segment, entered[^1], batch));
        }

        if (segments.Length > 1) entered[^1].requires_grad_(true);
        rows = Run(segments[^1], entered[^1], batch); // the last one's graph is wanted first: it is not run twice
        return rows.detach();
    }

    /// <param name="batch">As given to <see cref="Forward"/>.</param>
    /// <param name="rowGradient">[supervised, hidden]</param>
    /// <param name="scale">
    /// What gradients are multiplied by on the way, a power of two; what is added to <paramref name="gradient"/> is not.
    /// </param>
    public void Backward(TokenBatch batch, Tensor rowGradient, FlatGradient gradient, double scale = 1)
    {
        unscale = 1 / scale;
        var incoming = Pull(rows!, scale == 1 ? rowGradient : rowGradient.mul(KeptScalar.Of(scale)), segments.Length - 1, gradient);
        for (int index = segments.Length - 2; index >= 0; index--)
        {
            using var scope = NewDisposeScope();
            if (index > 0) entered[index].requires_grad_(true);
            incoming = Pull(Run(segments[index], entered[index], batch), incoming!, index, gradient)?.MoveToOuterDisposeScope();
        }

        entered.Clear();
        rows = null; // the sequence's scope disposes it
    }

    // Adds the gradients of the segment's weights; gives that of what entered it, null for the token ids.
    private Tensor? Pull(Tensor output, Tensor outputGradient, int index, FlatGradient gradient)
    {
        var segment = segments[index];
        List<Tensor> sources = [.. segment.Weights.Select(weight => decoder[weight.Name])];
        if (index > 0) sources.Add(entered[index]);
        var pulled = autograd.grad([output], sources, [outputGradient]);
        for (int i = 0; i < segment.Weights.Length; i++)
        {
            gradient.Add(
                segment.Weights[i].Offset, unscale == 1 ? pulled[i].contiguous()
                : pulled[i].to(ScalarType.Float32).mul_(KeptScalar.Of(unscale)).contiguous());
            pulled[i].Dispose();
        }

        return index > 0 ? pulled[^1] : null;
    }

    private static Tensor Ids(TokenBatch batch) => tensor(batch.Tokens, dtype: ScalarType.Int64).unsqueeze(0);

    private Tensor Run(Segment segment, Tensor input, TokenBatch batch)
    {
        using var scope = NewDisposeScope();
        var x = segment.First == 0 ? decoder.Embed(input) : input;
        for (int layer = segment.First; layer < segment.End; layer++) x = decoder.RunLayer(x, layer);
        if (segment.End == decoder.Architecture.Layers)
            x = decoder.FinalNorm(x[0].index_select(0, tensor(batch.PredictedFrom, dtype: ScalarType.Int64)));
        return x.MoveToOuterDisposeScope();
    }

    private static Segment Cut(FlatParameters parameters, int first, int end)
    {
        int layers = parameters.Architecture.Layers;
        HashSet<string> prefixes = [.. Enumerable.Range(first, end - first).Select(layer => ParameterMap.Layer(layer, ""))];
        bool Belongs(string name) => (first == 0 && name == ParameterMap.Embedding) || (end == layers && name == ParameterMap.FinalNorm)
            || prefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal));
        return new Segment(
            first, end, [.. parameters.Places.Where(place => Belongs(place.Name)).Select(place => (place.Name, place.Offset))]);
    }

    /// <summary>Layers that are differentiated together; the first takes the embedding with it, the last the final norm.</summary>
    private sealed record Segment(int First, int End, (string Name, long Offset)[] Weights);
}
