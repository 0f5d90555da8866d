using Distill.Architecture;
using Distill.Libtorch;
using static TorchSharp.torch;

namespace Distill.Student.Model;

/// <summary>
/// The decoder in plain TorchSharp operations: the reference that the fused passes, the exported graph and the parity gate are
/// compared with. Follows the forward passes of transformers' Llama, Qwen, Mistral and SmolLM3 models. Holds differentiable leaves that
/// share memory with the flat parameters. One thread at a time; the creator disposes it.
/// </summary>
internal sealed class TorchDecoder : IDisposable
{
    private readonly Dictionary<string, Tensor> weights = [];
    private readonly TorchAttention attention;

    public TorchDecoder(FlatParameters parameters, bool differentiable)
        : this(parameters, parameters.Values, differentiable)
    {
    }

    /// <param name="matmulValues">The projections of the layers in the flat layout, fp32 or bf16; stay the caller's.</param>
    public TorchDecoder(FlatParameters parameters, Tensor matmulValues, bool differentiable)
    {
        Architecture = parameters.Architecture;
        using var scope = NewDisposeScope();
        using var without = no_grad();
        foreach (var (name, offset, spec) in parameters.Places)
        {
            var values = IsProjection(name) ? matmulValues : parameters.Values;
            var leaf = values.narrow(0, offset, spec.Count).view([.. spec.Shape]).detach();
            leaf.requires_grad_(differentiable);
            weights.Add(name, leaf.DetachFromDisposeScope());
        }

        attention = new TorchAttention(Architecture, weights);
    }

    public DecoderArchitecture Architecture { get; }

    /// <summary>[vocab, hidden]: the embedding where the two are tied.</summary>
    internal Tensor OutputProjection => weights[Architecture.TieEmbeddings ? ParameterMap.Embedding : ParameterMap.OutputProjection];

    /// <summary>Told what every projection reads before it does: its name within the layer, as in <c>mlp.down_proj</c>.</summary>
    internal Action<string, Tensor>? Reading
    {
        get => attention.Reading;
        set => attention.Reading = value;
    }

    /// <summary>Over the same weights.</summary>
    internal TorchAttention Attention => attention;

    /// <summary>The leaf of a parameter; its gradient is filled by a backward pass.</summary>
    public Tensor this[string name] => weights[name];

    /// <param name="ids">[batch, time] int64; at most as long as the model reads.</param>
    /// <param name="first">Position from which logits are wanted: all are read, and those before it are not multiplied out.</param>
    /// <returns>[batch, time − first, vocab]; the caller's dispose scope owns it.</returns>
    public Tensor Forward(Tensor ids, int first = 0)
    {
        using var scope = NewDisposeScope();
        var states = Run(ids, null);
        if (first > 0) states = states.narrow(1, first, states.shape[1] - first);
        return nn.functional.linear(states, OutputProjection).MoveToOuterDisposeScope();
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

    /// <param name="ids">[batch, time] int64</param>
    /// <returns>[batch, time, hidden]</returns>
    internal Tensor Embed(Tensor ids) =>
        weights[ParameterMap.Embedding].index_select(0, ids.view(-1)).view(ids.shape[0], ids.shape[1], Architecture.HiddenSize);

    /// <param name="x">[batch, time, hidden]: the residual stream.</param>
    /// <returns>The same after a layer; the caller's dispose scope owns it. What no backward pass needs is freed at once.</returns>
    internal Tensor RunLayer(Tensor x, int layer)
    {
        using var scope = NewDisposeScope();
        return RunFeedForward(RunAttention(x, layer), layer).MoveToOuterDisposeScope();
    }

    /// <inheritdoc cref="RunLayer"/>
    /// <returns>The same after the attention half of a layer.</returns>
    internal Tensor RunAttention(Tensor x, int layer)
    {
        using var scope = NewDisposeScope();
        return x.add(attention.Forward(Norm(x, W(layer, "input_layernorm.weight")), layer), KeptScalar.One).MoveToOuterDisposeScope();
    }

    /// <inheritdoc cref="RunLayer"/>
    /// <returns>The same after the feed-forward half of a layer.</returns>
    internal Tensor RunFeedForward(Tensor x, int layer)
    {
        using var scope = NewDisposeScope();
        return x.add(FeedForward(Norm(x, W(layer, "post_attention_layernorm.weight")), layer), KeptScalar.One).MoveToOuterDisposeScope();
    }

    /// <param name="x">[…, hidden]</param>
    internal Tensor FinalNorm(Tensor x) => Norm(x, weights[ParameterMap.FinalNorm]);

    // [batch, time] → [batch, time, hidden], normed; what enters each layer is added to the list.
    private Tensor Run(Tensor ids, List<Tensor>? entering)
    {
        var x = Embed(ids);
        for (int layer = 0; layer < Architecture.Layers; layer++)
        {
            entering?.Add(x);
            x = RunLayer(x, layer);
        }

        return FinalNorm(x);
    }

    private static bool IsProjection(string name) => name.Contains("_proj.", StringComparison.Ordinal);

    private Tensor FeedForward(Tensor x, int layer)
    {
        Tensor Project(Tensor input, string part)
        {
            Reading?.Invoke("mlp." + part, input);
            return MixedLinear.Forward(
                input, W(layer, $"mlp.{part}.weight"), Architecture.FeedForwardBias ? W(layer, $"mlp.{part}.bias") : null);
        }

        return Project(nn.functional.silu(Project(x, "gate_proj")) * Project(x, "up_proj"), "down_proj");
    }

    private Tensor W(int layer, string part) => weights[ParameterMap.Layer(layer, part)];

    private Tensor Norm(Tensor x, Tensor weight) => RootMeanSquare.Norm(x, weight, Architecture.RmsNormEpsilon);
}
