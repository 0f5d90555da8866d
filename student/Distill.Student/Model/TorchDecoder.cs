using Distill.Architecture;
using static TorchSharp.torch;

namespace Distill.Student.Model;

/// <summary>
/// The decoder in plain TorchSharp operations: the reference that the fused passes, the exported graph and the parity gate are
/// compared with. Follows the forward pass of transformers' Llama and Qwen models. Holds differentiable leaves that share
/// memory with the flat parameters. One thread at a time; the creator disposes it.
/// </summary>
public sealed class TorchDecoder : IDisposable
{
    private readonly Dictionary<string, Tensor> weights = [];
    private readonly Tensor cosines; // [positions, head/2]
    private readonly Tensor sines;

    public TorchDecoder(FlatParameters parameters, bool differentiable)
    {
        Architecture = parameters.Architecture;
        using var scope = NewDisposeScope();
        using var without = no_grad();
        foreach (var (name, offset, spec) in parameters.Places)
        {
            var leaf = parameters.Values.narrow(0, offset, spec.Count).view([.. spec.Shape]).detach();
            leaf.requires_grad_(differentiable);
            weights.Add(name, leaf.DetachFromDisposeScope());
        }

        int half = Architecture.HeadSize / 2;
        var exponents = arange(0, Architecture.HeadSize, 2, ScalarType.Float32) / Architecture.HeadSize;
        var angles = arange(0, Architecture.MaxPositions, ScalarType.Float32).unsqueeze(1) * pow((float)Architecture.RopeTheta, exponents).reciprocal().view(1, half);
        (cosines, sines) = (angles.cos().DetachFromDisposeScope(), angles.sin().DetachFromDisposeScope());
    }

    public DecoderArchitecture Architecture { get; }

    /// <summary>The leaf of a parameter; its gradient is filled by a backward pass.</summary>
    public Tensor this[string name] => weights[name];

    /// <param name="ids">[batch, time] int64</param>
    /// <returns>[batch, time, vocab]; the caller's dispose scope owns it.</returns>
    public Tensor Forward(Tensor ids)
    {
        using var scope = NewDisposeScope();
        var x = weights[ParameterMap.Embedding].index_select(0, ids.view(-1)).view(ids.shape[0], ids.shape[1], Architecture.HiddenSize); // [batch, time, hidden]
        for (int layer = 0; layer < Architecture.Layers; layer++) x = Block(x, layer);
        x = Norm(x, weights[ParameterMap.FinalNorm]);
        var projection = weights[Architecture.TieEmbeddings ? ParameterMap.Embedding : ParameterMap.OutputProjection];
        return nn.functional.linear(x, projection).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        foreach (var weight in weights.Values) weight.Dispose();
        cosines.Dispose();
        sines.Dispose();
    }

    private Tensor Block(Tensor x, int layer)
    {
        Tensor W(string part) => weights[ParameterMap.Layer(layer, part)];
        Tensor? Bias(string part) => Architecture.AttentionBias ? W(part) : null;
        var normed = Norm(x, W("input_layernorm.weight"));
        var q = Heads(nn.functional.linear(normed, W("self_attn.q_proj.weight"), Bias("self_attn.q_proj.bias")), Architecture.Heads);
        var k = Heads(nn.functional.linear(normed, W("self_attn.k_proj.weight"), Bias("self_attn.k_proj.bias")), Architecture.KeyValueHeads);
        var v = Heads(nn.functional.linear(normed, W("self_attn.v_proj.weight"), Bias("self_attn.v_proj.bias")), Architecture.KeyValueHeads);
        if (Architecture.QueryKeyNorm) (q, k) = (Norm(q, W("self_attn.q_norm.weight")), Norm(k, W("self_attn.k_norm.weight")));
        (q, k) = (Rotate(q), Rotate(k));
        int groups = Architecture.Heads / Architecture.KeyValueHeads;
        if (groups > 1) (k, v) = (k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1));
        var mixed = nn.functional.scaled_dot_product_attention(q, k, v, is_casual: true); // [batch, head, time, size]
        x = x + nn.functional.linear(mixed.transpose(1, 2).flatten(2), W("self_attn.o_proj.weight"));
        normed = Norm(x, W("post_attention_layernorm.weight"));
        var gate = nn.functional.silu(nn.functional.linear(normed, W("mlp.gate_proj.weight")));
        return x + nn.functional.linear(gate * nn.functional.linear(normed, W("mlp.up_proj.weight")), W("mlp.down_proj.weight"));
    }

    // [batch, time, heads · size] → [batch, head, time, size]
    private Tensor Heads(Tensor projected, int heads) => projected.view(projected.shape[0], projected.shape[1], heads, Architecture.HeadSize).transpose(1, 2);

    private Tensor Norm(Tensor x, Tensor weight) => x * (x.square().mean([-1], keepdim: true) + Architecture.RmsNormEpsilon).rsqrt() * weight;

    private Tensor Rotate(Tensor x)
    {
        int half = Architecture.HeadSize / 2;
        long time = x.shape[2];
        var (c, s) = (cosines.narrow(0, 0, time), sines.narrow(0, 0, time));
        var (first, second) = (x.narrow(-1, 0, half), x.narrow(-1, half, half));
        return cat([first * c - second * s, second * c + first * s], -1);
    }
}
