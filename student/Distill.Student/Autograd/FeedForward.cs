using Distill.Architecture;
using Distill.Libtorch;
using static TorchSharp.torch;

namespace Distill.Student.Autograd;

/// <summary>The SwiGLU half of a layer (Shazeer 2020, arXiv 2002.05202) and its way back. One thread.</summary>
internal sealed class FeedForward(IDecoderWeights weights, int layer)
{
    private readonly RootMeanSquareNorm norm = new(weights, ParameterMap.Layer(layer, "post_attention_layernorm.weight"));
    private readonly IProjection gate = weights.Projection(layer, "mlp.gate_proj"), up = weights.Projection(layer, "mlp.up_proj"),
        down = weights.Projection(layer, "mlp.down_proj");

    /// <param name="x">[rows, hidden] fp32: the residual stream.</param>
    /// <param name="trace">Gets what <see cref="Backward"/> needs; null: nothing is kept.</param>
    /// <returns>[rows, hidden] fp32: the residual stream after it.</returns>
    public Tensor Forward(Tensor x, LayerTrace? trace)
    {
        using var scope = NewDisposeScope();
        var (normed, inverse) = norm.Forward(x);
        normed = normed.to(weights.Precision);
        Tensor gated = gate.Forward(normed), raised = up.Forward(normed);
        var activated = nn.functional.silu(gated).mul_(raised);
        trace?.KeepFeedForward(x, inverse, normed, gated, raised, activated);
        return x.add(down.Forward(activated), KeptScalar.One).MoveToOuterDisposeScope();
    }

    /// <param name="gradient">[rows, hidden] fp32: by the residual stream after it; overwritten by that before it.</param>
    public void Backward(LayerTrace trace, Tensor gradient)
    {
        using var scope = NewDisposeScope();
        var (x, inverse, normed, gated, raised, activated) = trace.FeedForward;
        var slopes = down.Backward(activated, gradient.to(weights.Precision), null);
        Tensor gateSlopes, upSlopes;
        using (enable_grad()) // silu's own way back is one operation
        {
            var leaf = gated.detach().requires_grad_(true);
            var silu = nn.functional.silu(leaf);
            using var without = no_grad();
            upSlopes = slopes.mul(silu);
            gateSlopes = autograd.grad([silu], [leaf], [slopes.mul_(raised)])[0];
        }

        var sum = up.Backward(normed, upSlopes, gate.Backward(normed, gateSlopes, null));
        norm.Backward(x, inverse, sum, gradient);
    }
}
