using Distill.Architecture;
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

    /// <param name="normed">[batch, time, hidden]</param>
    /// <returns>What is added to the residual stream, [batch, time, hidden].</returns>
    public Tensor Forward(Tensor normed, int layer)
    {
        var a = architecture;
        var q = Heads(Project(normed, layer, "q_proj", a.AttentionBias), a.Heads);
        var k = Heads(Project(normed, layer, "k_proj", a.AttentionBias), a.KeyValueHeads);
        var v = Heads(Project(normed, layer, "v_proj", a.AttentionBias), a.KeyValueHeads);
        if (a.QueryKeyNorm) (q, k) = (Norm(q, layer, "q_norm"), Norm(k, layer, "k_norm"));
        if (a.IsRotary(layer)) (q, k) = (Rotate(q), Rotate(k));
        int groups = a.Heads / a.KeyValueHeads;
        if (groups > 1) (k, v) = (k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1));
        var mixed = Attend(q, k, v, a.WindowOf(layer)); // [batch, head, time, size]
        return Project(mixed.transpose(1, 2).flatten(2), layer, "o_proj", a.AttentionOutputBias);
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

    private Tensor Project(Tensor x, int layer, string part, bool bias) =>
        MixedLinear.Forward(x, W(layer, part + ".weight"), bias ? W(layer, part + ".bias") : null);

    private Tensor W(int layer, string part) => weights[ParameterMap.Layer(layer, "self_attn." + part)];

    private Tensor Norm(Tensor x, int layer, string part) =>
        RootMeanSquare.Norm(x, W(layer, part + ".weight"), architecture.RmsNormEpsilon);

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
