using Distill.Architecture;
using Distill.Export.Formats;
using Distill.Export.Onnx;

namespace Distill.Export.Graph;

/// <summary>
/// Attention of one layer: its projections, and what <see cref="DecoderOperators"/> make of queries, keys and values. GroupQueryAttention's
/// CPU kernel knows no query-key norm, so that is spelled out here.
/// </summary>
internal sealed class AttentionGraph(GraphAssembly graph, DecoderArchitecture a, WeightFormat format, DecoderOperators operators)
{
    private readonly int queries = a.Heads * a.HeadSize;
    private readonly int keys = a.KeyValueHeads * a.HeadSize;

    /// <param name="input">Normalised residual stream, [batch, time, hidden].</param>
    /// <returns>What is added to the residual stream, [batch, time, hidden].</returns>
    public string Add(int layer, string input)
    {
        string at = $"layers.{layer}.attention";
        string packed = format.Multiply(graph, input, $"{at}.qkv", $"{at}.qkv_proj", new ProjectionWeights(
            Spec(layer, "q_proj.weight", queries, a.HiddenSize), Spec(layer, "k_proj.weight", keys, a.HiddenSize),
            Spec(layer, "v_proj.weight", keys, a.HiddenSize)));
        if (a.AttentionBias)
            packed = BiasGraph.Add(graph, packed, $"{at}.qkv_proj.bias", Spec(layer, "q_proj.bias", queries),
                Spec(layer, "k_proj.bias", keys), Spec(layer, "v_proj.bias", keys));
        var qkv = a.QueryKeyNorm || !operators.TakesPacked ? Parts(layer, at, packed) : (packed, "", "");
        string attended = operators.Attend(layer, at, qkv);
        string output = format.Multiply(graph, attended, $"{at}.output", $"{at}.o_proj",
            new ProjectionWeights(Spec(layer, "o_proj.weight", a.HiddenSize, queries)));
        return a.AttentionOutputBias ? BiasGraph.Add(graph, output, $"{at}.o_proj.bias", Spec(layer, "o_proj.bias", a.HiddenSize)) : output;
    }

    // packed [batch, time, (heads + 2·kv) · headSize] → three parts, queries and keys normalised head by head where the model does
    private (string Q, string K, string V) Parts(int layer, string at, string packed)
    {
        string sizes = graph.Integers("attention.split", [queries, keys, keys]);
        string q = $"{at}.q", k = $"{at}.k", v = $"{at}.v";
        graph.Add(new OnnxNode("Split", [packed, sizes], [q, k, v], [OnnxAttribute.Of("axis", -1)]));
        if (!a.QueryKeyNorm) return (q, k, v);
        return (HeadNorm(layer, q, "q_norm", "attention.queries", queries), HeadNorm(layer, k, "k_norm", "attention.keys", keys), v);
    }

    private string HeadNorm(int layer, string input, string part, string shapeName, int width)
    {
        // [batch, time · heads, headSize]
        string heads = graph.Add("Reshape", input + ".heads", [input, graph.Integers("attention.heads", [0, -1, a.HeadSize])]);
        string weight = graph.Weight($"layers.{layer}.attention.{part}.weight", Spec(layer, part + ".weight", a.HeadSize));
        string normed = operators.Norm(heads, input + ".normed", weight);
        return graph.Add("Reshape", input + ".joined", [normed, graph.Integers(shapeName, [0, -1, width])]);
    }

    private static ParameterSpec Spec(int layer, string part, params long[] shape) =>
        new(ParameterMap.Layer(layer, "self_attn." + part), shape);
}

/// <summary>
/// The tables of <see cref="RotaryTable"/> as constants, scaling and attention factor included: GroupQueryAttention knows neither.
/// </summary>
internal static class RotaryCaches
{
    public const string Cosine = "cos_cache", Sine = "sin_cache";

    /// <param name="type">fp32, fp16 or bf16; what is narrower is rounded to nearest, ties to even.</param>
    public static void Add(GraphAssembly graph, DecoderArchitecture architecture, OnnxElementType type)
    {
        var table = new RotaryTable(architecture);
        Add(graph, Cosine, type, table, table.Cosines);
        Add(graph, Sine, type, table, table.Sines);
    }

    private delegate void Rows(int firstPosition, Span<float> target);

    private static void Add(GraphAssembly graph, string name, OnnxElementType type, RotaryTable table, Rows rows) =>
        graph.Numbers(name, type, [table.Positions, table.Width], (_, firstPosition, count) =>
        {
            float[] angles = new float[count];
            rows(firstPosition, angles);
            return angles;
        }, isWeight: false);
}
