using Distill.Architecture;
using Distill.Libtorch;
using Distill.Student.Model;
using static TorchSharp.torch;

namespace Distill.Export.Parity.Localisation;

/// <summary>
/// One step of a decoder: a value of the exported graph, computed by the trained model from values of that same graph. So an earlier fault
/// does not show in a later step.
/// </summary>
/// <param name="Layer">From 0; null before the first and after the last.</param>
/// <param name="Part"><c>attention</c>, <c>mlp</c>, <c>norm</c>, <c>embedding</c> or <c>head</c>.</param>
/// <param name="Inputs">Names of the graph's values that go in; the embedding's are the ids.</param>
/// <param name="Output">Name of the value that comes out.</param>
/// <param name="Compute">Inputs, [1, time, width] each, to [1, time, width].</param>
internal sealed record DecoderStep(
    int? Layer, string Part, IReadOnlyList<string> Inputs, string Output, Func<IReadOnlyList<Tensor>, Tensor> Compute)
{
    /// <summary>What lies side by side in the output, in order: all of it is one where there is one.</summary>
    public required IReadOnlyList<StepTensor> Tensors { get; init; }

    /// <summary>Like steps of all layers have the same: what is usual among them tells what is not.</summary>
    public string Kind => $"{Part}/{Tensors[0].Kind}";
}

/// <param name="Kind">Name within the layer, <c>q_proj</c> say.</param>
/// <param name="Parameter">Name in the checkpoint; null for what has no weights of its own.</param>
/// <param name="Width">Its numbers of the output's last dimension.</param>
internal sealed record StepTensor(string Kind, string? Parameter, int Width);

/// <summary>The steps of an architecture in order, by the names that <see cref="Graph.DecoderGraphBuilder"/> gives to values.</summary>
internal sealed class DecoderSteps
{
    private readonly TorchDecoder decoder;
    private readonly DecoderArchitecture a;
    private readonly List<DecoderStep> steps = [];

    private DecoderSteps(TorchDecoder decoder, DecoderArchitecture architecture) => (this.decoder, a) = (decoder, architecture);

    /// <param name="decoder">The trained model; it stays the caller's and must outlive the steps.</param>
    public static IReadOnlyList<DecoderStep> Of(TorchDecoder decoder)
    {
        var all = new DecoderSteps(decoder, decoder.Architecture);
        all.Add();
        return all.steps;
    }

    /// <summary>Every value of the graph that goes into a step or comes out of one.</summary>
    public static IReadOnlyCollection<string> ValuesOf(DecoderArchitecture architecture)
    {
        var all = new DecoderSteps(null!, architecture); // nothing is computed
        all.Add();
        return all.steps.SelectMany(step => step.Inputs.Append(step.Output)).ToHashSet(StringComparer.Ordinal);
    }

    private void Add()
    {
        steps.Add(new(null, "embedding", [], "embedded", ids => decoder.Embed(ids[0]))
        {
            Tensors = [new("embed_tokens", ParameterMap.Embedding, a.HiddenSize)],
        });
        string residual = "embedded";
        for (int layer = 0; layer < a.Layers; layer++)
        {
            string at = $"layers.{layer}";
            Norm(layer, residual, $"{at}.attention.normed", "input_layernorm");
            string attended = Attention(layer, $"{at}.attention");
            residual = Sum(layer, "attention", residual, attended, $"{at}.mlp.residual");
            Norm(layer, residual, $"{at}.mlp.normed", "post_attention_layernorm");
            string fed = FeedForward(layer, $"{at}.mlp");
            if (layer < a.Layers - 1) residual = Sum(layer, "mlp", residual, fed, $"layers.{layer + 1}.attention.residual");
            else Last(residual, fed);
        }
    }

    private string Attention(int layer, string at)
    {
        int queries = a.Heads * a.HeadSize, keys = a.KeyValueHeads * a.HeadSize;
        string packed = at + ".qkv" + (a.AttentionBias ? ".biased" : "");
        steps.Add(new(layer, "attention", [at + ".normed"], packed, inputs => cat(
            [Linear(inputs[0], layer, "self_attn.q_proj", a.AttentionBias), Linear(inputs[0], layer, "self_attn.k_proj", a.AttentionBias),
                Linear(inputs[0], layer, "self_attn.v_proj", a.AttentionBias)], -1))
        {
            Tensors = [Weights(layer, "self_attn.q_proj", queries), Weights(layer, "self_attn.k_proj", keys),
                Weights(layer, "self_attn.v_proj", keys)],
        });
        string[] mixed = [packed];
        if (a.QueryKeyNorm)
        {
            mixed = [at + ".q.joined", at + ".k.joined", at + ".v"];
            HeadNorm(layer, at + ".q", "q_norm", queries);
            HeadNorm(layer, at + ".k", "k_norm", keys);
        }

        steps.Add(new(layer, "attention", mixed, at + ".attended", inputs =>
        {
            var parts = inputs.Count == 3 ? inputs : inputs[0].split([queries, keys, keys], -1);
            return decoder.Attention.Mix(parts[0], parts[1], parts[2], layer);
        }) { Tensors = [new("attention", null, queries)] });
        return Project(layer, "attention", at + ".attended", at + ".output", "self_attn.o_proj", a.HiddenSize, a.AttentionOutputBias);
    }

    private string FeedForward(int layer, string at)
    {
        string Part(string name) =>
            Project(layer, "mlp", at + ".normed", $"{at}.{name}.output", $"mlp.{name}", a.IntermediateSize, a.FeedForwardBias);
        string gate = Part("gate_proj"), up = Part("up_proj");
        steps.Add(new(layer, "mlp", [gate, up], at + ".gated", inputs => nn.functional.silu(inputs[0]) * inputs[1])
        {
            Tensors = [new("silu(gate) · up", null, a.IntermediateSize)],
        });
        return Project(layer, "mlp", at + ".gated", at + ".down_proj.output", "mlp.down_proj", a.HiddenSize, a.FeedForwardBias);
    }

    // The last sum has no name of its own: its norm takes the two parts.
    private void Last(string residual, string fed)
    {
        steps.Add(new(null, "norm", [residual, fed], "final.normed", inputs => decoder.FinalNorm(inputs[0].add(inputs[1], KeptScalar.One)))
        {
            Tensors = [new("norm", ParameterMap.FinalNorm, a.HiddenSize)],
        });
        string head = a.TieEmbeddings ? ParameterMap.Embedding : ParameterMap.OutputProjection;
        steps.Add(new(null, "head", ["final.normed"], Graph.DecoderValues.Logits,
            inputs => nn.functional.linear(inputs[0], decoder.OutputProjection))
        {
            Tensors = [new("lm_head", head, a.VocabularySize)],
        });
    }

    private string Project(int layer, string part, string input, string output, string name, int width, bool biased)
    {
        string result = output + (biased ? ".biased" : "");
        steps.Add(new(layer, part, [input], result, inputs => Linear(inputs[0], layer, name, biased))
        {
            Tensors = [Weights(layer, name, width)],
        });
        return result;
    }

    private string Sum(int layer, string part, string residual, string branch, string output)
    {
        steps.Add(new(layer, part, [residual, branch], output, inputs => inputs[0].add(inputs[1], KeptScalar.One))
        {
            Tensors = [new("residual sum", null, a.HiddenSize)],
        });
        return output;
    }

    private void Norm(int layer, string input, string output, string name) =>
        steps.Add(new(layer, "norm", [input], output,
            inputs => RootMeanSquare.Norm(inputs[0], decoder[ParameterMap.Layer(layer, name + ".weight")], a.RmsNormEpsilon))
        {
            Tensors = [Weights(layer, name, a.HiddenSize)],
        });

    private void HeadNorm(int layer, string input, string name, int width) =>
        steps.Add(new(layer, "attention", [input], input + ".joined", inputs => decoder.Attention.NormHeads(inputs[0], layer, name))
        {
            Tensors = [Weights(layer, "self_attn." + name, width)],
        });

    private static StepTensor Weights(int layer, string name, int width) =>
        new(name[(name.IndexOf('.') + 1)..], ParameterMap.Layer(layer, name + ".weight"), width);

    private Tensor Linear(Tensor x, int layer, string name, bool biased) => MixedLinear.Forward(
        x, decoder[ParameterMap.Layer(layer, name + ".weight")], biased ? decoder[ParameterMap.Layer(layer, name + ".bias")] : null);
}
