using Distill.Architecture;
using Distill.Libtorch;
using Distill.Student.Autograd;
using Distill.Student.Model;
using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Pruning;

/// <summary>
/// Runs sample text through a decoder and measures what its layers, feed-forward channels and heads do (importance by activation, forward
/// passes alone: after Muralidharan et al. 2024, arXiv 2407.14679). One thread; the creator disposes it before the parameters.
/// </summary>
internal sealed class ActivityProbe : IDisposable
{
    private readonly DecoderArchitecture architecture;
    private readonly Dictionary<string, Tensor> weights;
    private readonly TorchDecoder decoder;
    private readonly TorchAttention attention;
    private readonly Device device;

    public ActivityProbe(FlatParameters parameters)
    {
        (architecture, device) = (parameters.Architecture, parameters.Device);
        decoder = new TorchDecoder(parameters, differentiable: false);
        weights = parameters.Places.ToDictionary(place => place.Name, place => decoder[place.Name]);
        attention = new TorchAttention(architecture, weights);
    }

    /// <param name="sample">Whole sequences count, prompts included.</param>
    /// <returns>By layer.</returns>
    public IReadOnlyList<LayerActivity> Measure(IReadOnlyList<TrainingSequence> sample)
    {
        using var without = no_grad();
        var sums = Enumerable.Range(0, architecture.Layers).Select(_ => new ActivitySum(architecture)).ToList();
        foreach (var sequence in sample) Add(sequence, sums);
        return [.. sums.Select(sum => sum.ToActivity())];
    }

    public void Dispose()
    {
        attention.Dispose();
        decoder.Dispose();
    }

    private void Add(TrainingSequence sequence, List<ActivitySum> sums)
    {
        using var scope = NewDisposeScope();
        var ids = tensor(sequence.Tokens.Select(id => (long)id).ToArray()).to(device);
        var x = weights[ParameterMap.Embedding].index_select(0, ids).unsqueeze(0); // [1, time, hidden]
        var measured = new List<Tensor>(); // by layer: cosines, norms of the heads, magnitudes of the channels
        for (int layer = 0; layer < architecture.Layers; layer++)
        {
            var entered = x;
            var normed = Norm(x, W(layer, "input_layernorm.weight"));
            for (int head = 0; head < architecture.KeyValueHeads; head++)
                measured.Add(Squared(Contribution(normed, layer, head)).sum(dim: -1L).sqrt().sum().view(1));
            x = x.add(attention.Forward(normed, layer), KeptScalar.One);
            var (output, channels) = FeedForward(Norm(x, W(layer, "post_attention_layernorm.weight")), layer);
            x = x.add(output, KeptScalar.One);
            measured.Add(channels);
            measured.Add(nn.functional.cosine_similarity(entered, x, -1).sum().view(1));
        }

        // One crossing per sequence: a device is not waited for layer by layer.
        float[] all = DeviceOperations.Instance.ToHost(cat(measured));
        foreach (var (layer, values) in all.Chunk(all.Length / architecture.Layers).Index()) sums[layer].Add(values, sequence.Tokens.Count);
    }

    // Attention is linear in what its heads mix, so that zeros in the other heads' columns of the output projection leave one head's part.
    private Tensor Contribution(Tensor normed, int layer, int head)
    {
        string name = ParameterMap.Layer(layer, "self_attn.o_proj.weight");
        var whole = weights[name];
        int width = architecture.Heads / architecture.KeyValueHeads * architecture.HeadSize;
        var masked = zeros_like(whole);
        masked.narrow(1, (long)head * width, width).copy_(whole.narrow(1, (long)head * width, width));
        weights[name] = masked;
        var part = attention.Forward(normed, layer);
        weights[name] = whole;
        return architecture.AttentionOutputBias ? part - W(layer, "self_attn.o_proj.bias") : part;
    }

    private (Tensor Output, Tensor Channels) FeedForward(Tensor x, int layer)
    {
        Tensor Project(Tensor input, string part) =>
            nn.functional.linear(input, W(layer, $"mlp.{part}.weight"), architecture.FeedForwardBias ? W(layer, $"mlp.{part}.bias") : null);
        var wide = nn.functional.silu(Project(x, "gate_proj")) * Project(x, "up_proj"); // [1, time, intermediate]
        var columns = Squared(W(layer, "mlp.down_proj.weight")).sum(dim: 0L).sqrt(); // a bare 0 is taken for an element type
        return (Project(wide, "down_proj"), wide.abs().sum(dim: 1L).view(-1) * columns);
    }

    private Tensor W(int layer, string part) => weights[ParameterMap.Layer(layer, part)];

    private Tensor Norm(Tensor x, Tensor weight) => RootMeanSquare.Norm(x, weight, architecture.RmsNormEpsilon);

    private static Tensor Squared(Tensor x) => x * x;
}

/// <summary>What a layer did on sample text.</summary>
/// <param name="Change">
/// 1 − mean cosine similarity of what enters and what leaves the layer, over all positions: how much a decoder loses without it (block
/// influence of Men et al. 2024, arXiv 2403.03853).
/// </param>
/// <param name="Channels">
/// [intermediate]: mean magnitude of each feed-forward channel before the down projection, times the norm of its column there.
/// </param>
/// <param name="Heads">[key-value heads]: mean norm of what each of them, with all its query heads, adds to the residual stream.</param>
internal sealed record LayerActivity(double Change, IReadOnlyList<double> Channels, IReadOnlyList<double> Heads);

/// <summary>What was seen of one layer so far. One thread.</summary>
internal sealed class ActivitySum(DecoderArchitecture architecture)
{
    private readonly double[] channels = new double[architecture.IntermediateSize];
    private double similarity;
    private long positions;

    /// <summary>[key-value heads]</summary>
    public double[] Heads { get; } = new double[architecture.KeyValueHeads];

    /// <param name="values">Sums over the positions: [key-value heads] norms, [intermediate] magnitudes, the cosines.</param>
    public void Add(float[] values, int count)
    {
        positions += count;
        similarity += values[^1];
        for (int i = 0; i < Heads.Length; i++) Heads[i] += values[i];
        for (int i = 0; i < channels.Length; i++) channels[i] += values[Heads.Length + i];
    }

    public LayerActivity ToActivity() =>
        new(1 - (similarity / positions), [.. channels.Select(sum => sum / positions)], [.. Heads.Select(sum => sum / positions)]);
}
