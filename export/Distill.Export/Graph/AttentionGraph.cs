using System.Runtime.InteropServices;
using Distill.Architecture;
using Distill.Export.Onnx;

namespace Distill.Export.Graph;

/// <summary>
/// Attention of one layer around ONNX Runtime's GroupQueryAttention, which keeps the cache, turns queries and keys by their rotary
/// angles and derives positions from the sequence lengths. Its CPU kernel knows no query-key norm, so that is spelled out here.
/// </summary>
internal sealed class AttentionGraph(GraphAssembly graph, DecoderArchitecture a, WeightFormat format)
{
    private readonly int queries = a.Heads * a.HeadSize;
    private readonly int keys = a.KeyValueHeads * a.HeadSize;

    /// <param name="input">Normalised residual stream, [batch, time, hidden].</param>
    /// <returns>What is added to the residual stream, [batch, time, hidden].</returns>
    public string Add(int layer, string input)
    {
        string at = $"layers.{layer}.attention";
        string packed = format.Multiply(graph, input, $"{at}.qkv", $"{at}.qkv_proj", new ProjectionWeights(
            Spec(layer, "q_proj.weight", queries, a.HiddenSize), Spec(layer, "k_proj.weight", keys, a.HiddenSize), Spec(layer, "v_proj.weight", keys, a.HiddenSize)));
        if (a.AttentionBias) packed = graph.Add("Add", $"{at}.qkv_biased", [packed, PackedBias(layer, at)]);
        string attended = Attend(layer, at, a.QueryKeyNorm ? Normalised(layer, at, packed) : (packed, "", ""));
        return format.Multiply(graph, attended, $"{at}.output", $"{at}.o_proj", new ProjectionWeights(Spec(layer, "o_proj.weight", a.HiddenSize, queries)));
    }

    private string Attend(int layer, string at, (string Q, string K, string V) qkv)
    {
        string output = $"{at}.attended"; // [batch, time, heads · headSize]
        graph.AddMicrosoft(
            "GroupQueryAttention",
            [output, DecoderValues.PresentKey(layer), DecoderValues.PresentValue(layer)],
            [qkv.Q, qkv.K, qkv.V, DecoderValues.PastKey(layer), DecoderValues.PastValue(layer), SequenceLengths.LastPosition, SequenceLengths.Total, RotaryTables.Cosine, RotaryTables.Sine],
            OnnxAttribute.Of("num_heads", a.Heads),
            OnnxAttribute.Of("kv_num_heads", a.KeyValueHeads),
            OnnxAttribute.Of("scale", (float)(1 / Math.Sqrt(a.HeadSize))),
            OnnxAttribute.Of("do_rotary", 1),
            OnnxAttribute.Of("rotary_interleaved", 0));
        return output;
    }

    // packed [batch, time, (heads + 2·kv) · headSize] → three parts, queries and keys normalised head by head
    private (string Q, string K, string V) Normalised(int layer, string at, string packed)
    {
        string sizes = graph.Integers("attention.split", [queries, keys, keys]);
        string q = $"{at}.q", k = $"{at}.k", v = $"{at}.v";
        graph.Add(new OnnxNode("Split", [packed, sizes], [q, k, v], [OnnxAttribute.Of("axis", -1)]));
        return (HeadNorm(layer, q, "q_norm", "attention.queries", queries), HeadNorm(layer, k, "k_norm", "attention.keys", keys), v);
    }

    private string HeadNorm(int layer, string input, string part, string shapeName, int width)
    {
        string heads = graph.Add("Reshape", input + ".heads", [input, graph.Integers("attention.heads", [0, -1, a.HeadSize])]); // [batch, time · heads, headSize]
        string weight = graph.Weight($"layers.{layer}.attention.{part}.weight", Spec(layer, part + ".weight", a.HeadSize));
        string normed = NormGraph.Add(graph, heads, input + ".normed", weight, a.RmsNormEpsilon);
        return graph.Add("Reshape", input + ".joined", [normed, graph.Integers(shapeName, [0, -1, width])]);
    }

    private string PackedBias(int layer, string at)
    {
        ParameterSpec[] parts = [Spec(layer, "q_proj.bias", queries), Spec(layer, "k_proj.bias", keys), Spec(layer, "v_proj.bias", keys)];
        return graph.Constant(new($"{at}.qkv_proj.bias", OnnxElementType.Float, [queries + (2L * keys)], (weights, first, target) =>
        {
            float[] all = [.. parts.SelectMany(part => weights[part.Name].ToArray())];
            MemoryMarshal.AsBytes<float>(all.AsSpan(first, target.Length / sizeof(float))).CopyTo(target);
        }));
    }

    private static ParameterSpec Spec(int layer, string part, params long[] shape) => new(ParameterMap.Layer(layer, "self_attn." + part), shape);
}
