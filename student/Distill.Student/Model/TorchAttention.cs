using Distill.Architecture;
using Distill.Libtorch;
using static TorchSharp.torch;

namespace Distill.Student.Model;

/// <summary>
/// Attention of <see cref="TorchDecoder"/>: grouped queries, QK-norm, rotary embedding, causal or windowed. The creator disposes it.
/// </summary>
internal sealed class TorchAttention : IDisposable
{
    private readonly DecoderArchitecture architecture;
    private readonly IReadOnlyDictionary<string, Tensor> weights;
    private readonly Tensor cosines; // [positions, head/2]
    private readonly Tensor sines;

    /// <param name="weights">By parameter name; stays the caller's.</param>
    public TorchAttention(DecoderArchitecture architecture, IReadOnlyDictionary<string, Tensor> weights)
    {
        this.architecture = architecture;
        this.weights = weights;
        var table = new RotaryTable(architecture);
        float[] values = new float[table.Positions * table.Width];
        table.Cosines(0, values);
        cosines = tensor(values, [table.Positions, table.Width]).DetachFromDisposeScope();
        table.Sines(0, values);
        sines = tensor(values, [table.Positions, table.Width]).DetachFromDisposeScope();
    }

    /// <summary>Told what every projection reads before it does: its name within the layer, as in <c>self_attn.q_proj</c>.</summary>
    public Action<string, Tensor>? Reading { get; set; }

    /// <param name="normed">[batch, time, hidden]</param>
    /// <returns>What is added to the residual stream, [batch, time, hidden].</returns>
    public Tensor Forward(Tensor normed, int layer)
    {
        var a = architecture;
        var (q, k, v) = (Project(normed, layer, "q_proj", a.AttentionBias), Project(normed, layer, "k_proj", a.AttentionBias),
            Project(normed, layer, "v_proj", a.AttentionBias));
        if (a.QueryKeyNorm) (q, k) = (NormHeads(q, layer, "q_norm"), NormHeads(k, layer, "k_norm"));
        return Project(Mix(q, k, v, layer), layer, "o_proj", a.AttentionOutputBias);
    }

    /// <summary>Query-key norm, head by head.</summary>
    /// <param name="projected">[batch, time, heads · size]: queries or keys.</param>
    /// <param name="part"><c>q_norm</c> or <c>k_norm</c>.</param>
    internal Tensor NormHeads(Tensor projected, int layer, string part) =>
        RootMeanSquare.Norm(projected.unflatten(2, -1, architecture.HeadSize), W(layer, part + ".weight"), architecture.RmsNormEpsilon)
            .flatten(2);

    /// <summary>Turns queries and keys by their positions and mixes the values by them.</summary>
    /// <param name="q">[batch, time, heads · size], normalised where the model does that; keys and values alike with their heads.</param>
    /// <returns>[batch, time, heads · size]</returns>
    internal Tensor Mix(Tensor q, Tensor k, Tensor v, int layer)
    {
        var a = architecture;
        (q, k, v) = (Heads(q, a.Heads), Heads(k, a.KeyValueHeads), Heads(v, a.KeyValueHeads));
        if (a.IsRotary(layer)) (q, k) = (Rotate(q), Rotate(k));
        int groups = a.Heads / a.KeyValueHeads;
        if (groups > 1) (k, v) = (k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1));
        return Attend(q, k, v, a.WindowOf(layer)).transpose(1, 2).flatten(2); // [batch, head, time, size] → [batch, time, heads · size]
    }

    public void Dispose()
    {
        cosines.Dispose();
        sines.Dispose();
    }

    private static Tensor Attend(Tensor q, Tensor k, Tensor v, int? window)
    {
        long time = q.shape[2];
        if (window is null || window >= time) return nn.functional.scaled_dot_product_attention(q, k, v, is_casual: true);
        var positions = tensor(Enumerable.Range(0, checked((int)time)).Select(position => (long)position).ToArray());
        var distance = positions.unsqueeze(1) - positions.unsqueeze(0); // [query, key]
        return nn.functional.scaled_dot_product_attention(
            q, k, v, distance.ge(KeptScalar.Of(0)).logical_and(distance.lt(KeptScalar.Of(window.Value))));
    }

    private Tensor Project(Tensor x, int layer, string part, bool bias)
    {
        Reading?.Invoke("self_attn." + part, x);
        return MixedLinear.Forward(x, W(layer, part + ".weight"), bias ? W(layer, part + ".bias") : null);
    }

    private Tensor W(int layer, string part) => weights[ParameterMap.Layer(layer, "self_attn." + part)];

    // [batch, time, heads · size] → [batch, head, time, size]
    private Tensor Heads(Tensor projected, int heads) =>
        projected.view(projected.shape[0], projected.shape[1], heads, architecture.HeadSize).transpose(1, 2);

    // Halves of a head turn together: (x1, x2) → (x1·cos − x2·sin, x2·cos + x1·sin)
    private Tensor Rotate(Tensor x)
    {
        int half = architecture.HeadSize / 2;
        long time = x.shape[2];
        var (c, s) = (cosines.narrow(0, 0, time), sines.narrow(0, 0, time));
        var (first, second) = (x.narrow(-1, 0, half), x.narrow(-1, half, half));
        return cat([(first * c) - (second * s), (second * c).add(first * s, KeptScalar.One)], -1);
    }
}
