using Distill.Architecture;

namespace Distill.Export.Gguf;

/// <summary>
/// The tensors of a decoder under llama.cpp's names. A tied output projection is left out: llama.cpp then takes the embedding.
/// </summary>
internal static class DecoderTensors
{
    // llama.cpp's names of the parts of a layer (gguf-py's tensor map).
    private static readonly Dictionary<string, string> s_parts = new()
    {
        ["input_layernorm"] = "attn_norm",
        ["self_attn.q_proj"] = "attn_q",
        ["self_attn.k_proj"] = "attn_k",
        ["self_attn.v_proj"] = "attn_v",
        ["self_attn.q_norm"] = "attn_q_norm",
        ["self_attn.k_norm"] = "attn_k_norm",
        ["self_attn.o_proj"] = "attn_output",
        ["post_attention_layernorm"] = "ffn_norm",
        ["mlp.gate_proj"] = "ffn_gate",
        ["mlp.up_proj"] = "ffn_up",
        ["mlp.down_proj"] = "ffn_down",
    };

    public static IReadOnlyList<GgufTensor> Of(DecoderArchitecture a, GgufPrecision precision)
    {
        var tensors = ParameterMap.For(a).Select(parameter => Tensor(a, parameter, precision)).ToList();
        if (RotaryFactors.Of(a) is { } factors) tensors.Insert(1, factors);
        return tensors;
    }

    private static GgufTensor Tensor(DecoderArchitecture a, ParameterSpec parameter, GgufPrecision precision)
    {
        string name = NameOf(parameter.Name);
        var type = TypeOf(parameter, precision);
        int columns = (int)parameter.Shape[^1], rowBytes = checked((int)type.RowBytes(columns));
        var order = RowOrder.Of(a, parameter.Name);
        void Fill(WeightSet weights, int firstRow, Span<byte> target)
        {
            var values = weights[parameter.Name].Span;
            if (parameter.Shape.Count == 1)
            {
                GgufNumbers.Write(order is null ? values : order.Reordered(values), target, type);
                return;
            }

            for (int row = 0; row < target.Length / rowBytes; row++)
            {
                int source = order?.SourceOf(firstRow + row) ?? firstRow + row;
                GgufNumbers.Write(values.Slice(source * columns, columns), target.Slice(row * rowBytes, rowBytes), type);
            }
        }

        return new(name, type, parameter.Shape, Fill);
    }

    // Norms and biases are small and llama.cpp wants them in fp32; a matrix whose rows are no whole blocks stays in fp16.
    private static GgufType TypeOf(ParameterSpec parameter, GgufPrecision precision)
    {
        if (parameter.Shape.Count == 1) return GgufType.Single;
        var type = parameter.Name is ParameterMap.Embedding or ParameterMap.OutputProjection ? precision.Ends() : precision.Body();
        return type.Divides(parameter.Shape[1]) ? type : GgufType.Half;
    }

    /// <summary>llama.cpp's name of a parameter.</summary>
    public static string NameOf(string parameter)
    {
        switch (parameter)
        {
            case ParameterMap.Embedding: return "token_embd.weight";
            case ParameterMap.FinalNorm: return "output_norm.weight";
            case ParameterMap.OutputProjection: return "output.weight";
        }

        // model.layers.N.part.kind
        string[] words = parameter.Split('.');
        return $"blk.{words[2]}.{s_parts[string.Join('.', words[3..^1])]}.{words[^1]}";
    }
}

/// <summary>
/// The order in which llama.cpp's interleaved rotary embedding wants the rows of queries and keys: it turns neighbours, where Hugging
/// Face's turns a row of a head's first half with one of its second.
/// </summary>
internal sealed class RowOrder
{
    private readonly int headSize;

    private RowOrder(int headSize) => this.headSize = headSize;

    /// <summary>Null for what stays as it is.</summary>
    public static RowOrder? Of(DecoderArchitecture a, string parameter) =>
        GgufArchitecture.IsInterleaved(a) && (parameter.Contains(".q_proj.", StringComparison.Ordinal)
            || parameter.Contains(".k_proj.", StringComparison.Ordinal))
            ? new(a.HeadSize)
            : null;

    /// <summary>Which row of the checkpoint stands in a row of the file.</summary>
    public int SourceOf(int row)
    {
        int head = row / headSize, within = row % headSize;
        return (head * headSize) + (within % 2 * (headSize / 2)) + (within / 2);
    }

    public float[] Reordered(ReadOnlySpan<float> values)
    {
        float[] ordered = new float[values.Length];
        for (int i = 0; i < ordered.Length; i++) ordered[i] = values[SourceOf(i)];
        return ordered;
    }
}

/// <summary>
/// The tensor by which llama.cpp divides rotary frequencies one by one: Llama 3's scaling, and a YaRN with a ramp of its own.
/// </summary>
internal static class RotaryFactors
{
    /// <summary>Null where frequencies are not scaled one by one.</summary>
    public static GgufTensor? Of(DecoderArchitecture a)
    {
        if (!GgufArchitecture.HasRotaryFactors(a)) return null;
        float[] plain = new RotaryTable(a with { RotaryScaling = DefaultRotary.Instance }).Frequencies.ToArray();
        float[] scaled = new RotaryTable(a).Frequencies.ToArray();
        float[] factors = [.. plain.Zip(scaled, (before, after) => before / after)];
        return new("rope_freqs.weight", GgufType.Single, [factors.Length],
            (_, _, target) => GgufNumbers.Write(factors, target, GgufType.Single));
    }
}
