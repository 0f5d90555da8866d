namespace Distill.Architecture;

/// <summary>One weight tensor: its Hugging Face name and its shape, [out, in] for projections.</summary>
public sealed record ParameterSpec(string Name, IReadOnlyList<long> Shape)
{
    public long Count => Shape.Aggregate(1L, (product, size) => product * size);
}

/// <summary>
/// The weights of an architecture in storage order. The one list of names: the TorchSharp module, the checkpoint and the
/// graph writer all follow it. Source: the parameter names of transformers' Llama and Qwen models.
/// </summary>
public static class ParameterMap
{
    public const string Embedding = "model.embed_tokens.weight";
    public const string FinalNorm = "model.norm.weight";
    public const string OutputProjection = "lm_head.weight";

    public static string Layer(int layer, string part) => $"model.layers.{layer}.{part}";

    public static IReadOnlyList<ParameterSpec> For(DecoderArchitecture a)
    {
        long hidden = a.HiddenSize, queries = (long)a.Heads * a.HeadSize, keys = (long)a.KeyValueHeads * a.HeadSize,
            wide = a.IntermediateSize;
        var list = new List<ParameterSpec> { new(Embedding, [a.VocabularySize, hidden]) };
        for (int layer = 0; layer < a.Layers; layer++)
        {
            void Add(string part, params long[] shape) => list.Add(new(Layer(layer, part), shape));
            Add("input_layernorm.weight", hidden);
            Add("self_attn.q_proj.weight", queries, hidden);
            Add("self_attn.k_proj.weight", keys, hidden);
            Add("self_attn.v_proj.weight", keys, hidden);
            if (a.AttentionBias)
            {
                Add("self_attn.q_proj.bias", queries);
                Add("self_attn.k_proj.bias", keys);
                Add("self_attn.v_proj.bias", keys);
            }

            if (a.QueryKeyNorm)
            {
                Add("self_attn.q_norm.weight", a.HeadSize);
                Add("self_attn.k_norm.weight", a.HeadSize);
            }

            Add("self_attn.o_proj.weight", hidden, queries);
            if (a.AttentionOutputBias) Add("self_attn.o_proj.bias", hidden);
            Add("post_attention_layernorm.weight", hidden);
            Add("mlp.gate_proj.weight", wide, hidden);
            Add("mlp.up_proj.weight", wide, hidden);
            if (a.FeedForwardBias)
            {
                Add("mlp.gate_proj.bias", wide);
                Add("mlp.up_proj.bias", wide);
            }

            Add("mlp.down_proj.weight", hidden, wide);
            if (a.FeedForwardBias) Add("mlp.down_proj.bias", hidden);
        }

        list.Add(new(FinalNorm, [hidden]));
        if (!a.TieEmbeddings) list.Add(new(OutputProjection, [a.VocabularySize, hidden]));
        return list;
    }
}

/// <summary>
/// All weights of a decoder in memory as fp32, in <see cref="ParameterMap"/> order: what the trainer hands to the graph
/// writer and to the checkpoint. The buffers are owned by whoever created the set and must not change while it is read.
/// </summary>
public sealed class WeightSet
{
    private readonly Dictionary<string, ReadOnlyMemory<float>> values;

    /// <exception cref="InvalidDataException">A parameter is missing, surplus, or has the wrong number of values.</exception>
    public WeightSet(DecoderArchitecture architecture, IReadOnlyDictionary<string, float[]> values)
        : this(architecture, values.Select(pair => KeyValuePair.Create(pair.Key, (ReadOnlyMemory<float>)pair.Value)))
    {
    }

    /// <inheritdoc cref="WeightSet(DecoderArchitecture, IReadOnlyDictionary{string, float[]})"/>
    public WeightSet(DecoderArchitecture architecture, IEnumerable<KeyValuePair<string, ReadOnlyMemory<float>>> values)
    {
        Architecture = architecture;
        this.values = new Dictionary<string, ReadOnlyMemory<float>>(values);
        var map = ParameterMap.For(architecture);
        foreach (var parameter in map)
        {
            if (!this.values.TryGetValue(parameter.Name, out var data))
                throw new InvalidDataException($"Weight '{parameter.Name}' is missing.");
            if (data.Length != parameter.Count)
                throw new InvalidDataException(
                    $"Weight '{parameter.Name}' has {data.Length} values; the architecture needs {parameter.Count}.");
        }

        if (this.values.Count != map.Count)
            throw new InvalidDataException(
                $"Surplus weights: {string.Join(", ", this.values.Keys.Except(map.Select(p => p.Name)).Order().Take(5))}.");
    }

    public DecoderArchitecture Architecture { get; }

    public ReadOnlyMemory<float> this[string name] => values[name];
}
