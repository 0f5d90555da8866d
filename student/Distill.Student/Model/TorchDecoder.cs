using Distill.Architecture;
using static TorchSharp.torch;

namespace Distill.Student.Model;

/// <summary>
/// The decoder in plain TorchSharp operations: the reference that the fused passes, the exported graph and the parity gate are
/// compared with. Follows the forward passes of transformers' Llama, Qwen, Mistral and SmolLM3 models. Holds differentiable leaves that
/// share memory with the flat parameters. One thread at a time; the creator disposes it.
/// </summary>
public sealed class TorchDecoder : IDisposable
{
    private readonly Dictionary<string, Tensor> weights = [];
    private readonly TorchAttention attention;

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

        attention = new TorchAttention(Architecture, weights);
    }

    public DecoderArchitecture Architecture { get; }

    /// <summary>The leaf of a parameter; its gradient is filled by a backward pass.</summary>
    public Tensor this[string name] => weights[name];

    /// <param name="ids">[batch, time] int64; at most as long as the model reads.</param>
    /// <returns>[batch, time, vocab]; the caller's dispose scope owns it.</returns>
    public Tensor Forward(Tensor ids)
    {
        using var scope = NewDisposeScope();
        var projection = weights[Architecture.TieEmbeddings ? ParameterMap.Embedding : ParameterMap.OutputProjection];
        return nn.functional.linear(Run(ids, null), projection).MoveToOuterDisposeScope();
    }

    /// <param name="ids">[batch, time] int64</param>
    /// <returns>
    /// [batch, time, hidden] each: the embeddings, the residual stream before every further layer, and the output of the final norm, as
    /// transformers numbers them. The caller's dispose scope owns them.
    /// </returns>
    public IReadOnlyList<Tensor> HiddenStates(Tensor ids)
    {
        using var scope = NewDisposeScope();
        var states = new List<Tensor>();
        states.Add(Run(ids, states));
        foreach (var state in states) state.MoveToOuterDisposeScope();
        return states;
    }

    public void Dispose()
    {
        foreach (var weight in weights.Values) weight.Dispose();
        attention.Dispose();
    }

    // [batch, time] → [batch, time, hidden], normed; what enters each layer is added to the list.
    private Tensor Run(Tensor ids, List<Tensor>? entering)
    {
        var x = weights[ParameterMap.Embedding].index_select(0, ids.view(-1)).view(ids.shape[0], ids.shape[1], Architecture.HiddenSize);
        for (int layer = 0; layer < Architecture.Layers; layer++)
        {
            entering?.Add(x);
            x = x + attention.Forward(Norm(x, W(layer, "input_layernorm.weight")), layer);
            x = x + FeedForward(Norm(x, W(layer, "post_attention_layernorm.weight")), layer);
        }

        return Norm(x, weights[ParameterMap.FinalNorm]);
    }

    private Tensor FeedForward(Tensor x, int layer)
    {
        Tensor Project(Tensor input, string part) =>
            nn.functional.linear(input, W(layer, $"mlp.{part}.weight"), Architecture.FeedForwardBias ? W(layer, $"mlp.{part}.bias") : null);
        return Project(nn.functional.silu(Project(x, "gate_proj")) * Project(x, "up_proj"), "down_proj");
    }

    private Tensor W(int layer, string part) => weights[ParameterMap.Layer(layer, part)];

    private Tensor Norm(Tensor x, Tensor weight) => RootMeanSquare.Norm(x, weight, Architecture.RmsNormEpsilon);
}
