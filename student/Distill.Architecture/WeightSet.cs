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
/// All weights of a decoder as fp32, in <see cref="ParameterMap"/> order: what the trainer hands to the graph writer and to the
/// checkpoint. They lie in memory, and whoever created the set owns the buffers, which must not change while it is read; or they are read
/// when they are asked for (<see cref="Streamed"/>), so that a model is written in the memory of its largest tensors. Safe from any thread.
/// </summary>
public sealed class WeightSet
{
    private readonly Func<string, ReadOnlyMemory<float>> read;

    /// <exception cref="InvalidDataException">A parameter is missing, surplus, or has the wrong number of values.</exception>
    public WeightSet(DecoderArchitecture architecture, IReadOnlyDictionary<string, float[]> values)
        : this(architecture, values.Select(pair => KeyValuePair.Create(pair.Key, (ReadOnlyMemory<float>)pair.Value)))
    {
    }

    /// <inheritdoc cref="WeightSet(DecoderArchitecture, IReadOnlyDictionary{string, float[]})"/>
    public WeightSet(DecoderArchitecture architecture, IEnumerable<KeyValuePair<string, ReadOnlyMemory<float>>> values)
    {
        Architecture = architecture;
        var all = new Dictionary<string, ReadOnlyMemory<float>>(values);
        read = name => all[name];
        var map = ParameterMap.For(architecture);
        foreach (var parameter in map)
        {
            if (!all.TryGetValue(parameter.Name, out var data))
                throw new InvalidDataException($"Weight '{parameter.Name}' is missing.");
            if (data.Length != parameter.Count)
                throw new InvalidDataException(
                    $"Weight '{parameter.Name}' has {data.Length} values; the architecture needs {parameter.Count}.");
        }

        if (all.Count != map.Count)
            throw new InvalidDataException(
                $"Surplus weights: {string.Join(", ", all.Keys.Except(map.Select(p => p.Name)).Order().Take(5))}.");
    }

    private WeightSet(DecoderArchitecture architecture, Func<string, ReadOnlyMemory<float>> read)
    {
        Architecture = architecture;
        this.read = read;
    }

    public DecoderArchitecture Architecture { get; }

    /// <exception cref="KeyNotFoundException">The architecture has no such parameter.</exception>
    /// <exception cref="IOException">It is read from a file, which fails.</exception>
    public ReadOnlyMemory<float> this[string name] => read(name);

    /// <summary>
    /// Weights that are read when they are asked for. The last few stay in memory, so that a matrix may be asked for row by row.
    /// </summary>
    /// <param name="read">All values of a parameter; the same every time. Called by one thread at a time.</param>
    internal static WeightSet Streamed(DecoderArchitecture architecture, Func<ParameterSpec, ReadOnlyMemory<float>> read) =>
        new(architecture, new RecentTensors(architecture, spec => Checked(read(spec), spec)).Read);

    private static ReadOnlyMemory<float> Checked(ReadOnlyMemory<float> values, ParameterSpec spec) => values.Length == spec.Count ? values
        : throw new InvalidDataException($"Weight '{spec.Name}' has {values.Length} values; the architecture needs {spec.Count}.");
}
