using Distill.Architecture;
using Distill.Export.Formats;
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
            Spec(layer, "q_proj.weight", queries, a.HiddenSize), Spec(layer, "k_proj.weight", keys, a.HiddenSize),
            Spec(layer, "v_proj.weight", keys, a.HiddenSize)));
        if (a.AttentionBias)
            packed = BiasGraph.Add(graph, packed, $"{at}.qkv_proj.bias", Spec(layer, "q_proj.bias", queries),
                Spec(layer, "k_proj.bias", keys), Spec(layer, "v_proj.bias", keys));
        string attended = Attend(layer, at, a.QueryKeyNorm ? Normalised(layer, at, packed) : (packed, "", ""));
        string output = format.Multiply(graph, attended, $"{at}.output", $"{at}.o_proj",
            new ProjectionWeights(Spec(layer, "o_proj.weight", a.HiddenSize, queries)));
        return a.AttentionOutputBias ? BiasGraph.Add(graph, output, $"{at}.o_proj.bias", Spec(layer, "o_proj.bias", a.HiddenSize)) : output;
    }

    private string Attend(int layer, string at, (string Q, string K, string V) qkv)
    {
        bool narrow = format.Attention != format.Flow;
        if (narrow) qkv = (Narrowed(qkv.Q), Narrowed(qkv.K), Narrowed(qkv.V));
        string output = $"{at}.attended", attended = narrow ? output + ".narrow" : output; // [batch, time, heads · headSize]
        graph.AddMicrosoft(
            "GroupQueryAttention",
            [attended, DecoderValues.PresentKey(layer), DecoderValues.PresentValue(layer)],
            [qkv.Q, qkv.K, qkv.V, DecoderValues.PastKey(layer), DecoderValues.PastValue(layer),
                SequenceLengths.LastPosition, SequenceLengths.Total, .. Caches(layer)],
            [.. Attributes(layer)]);
        return narrow ? graph.Add("Cast", output, [attended], OnnxAttribute.Of("to", (long)format.Flow)) : output;
    }

    // What is left out (keys and values beside packed queries) has no type either.
    private string Narrowed(string value) =>
        value.Length == 0 ? value : graph.Add("Cast", value + ".narrow", [value], OnnxAttribute.Of("to", (long)format.Attention));

    private string[] Caches(int layer) => a.IsRotary(layer) ? [RotaryCaches.Cosine, RotaryCaches.Sine] : [];

    private IEnumerable<OnnxAttribute> Attributes(int layer)
    {
        yield return OnnxAttribute.Of("num_heads", a.Heads);
        yield return OnnxAttribute.Of("kv_num_heads", a.KeyValueHeads);
        yield return OnnxAttribute.Of("scale", (float)(1 / Math.Sqrt(a.HeadSize)));
        yield return OnnxAttribute.Of("do_rotary", a.IsRotary(layer) ? 1 : 0);
        yield return OnnxAttribute.Of("rotary_interleaved", 0);
        // The cache keeps every position; the window only hides those before it.
        if (a.WindowOf(layer) is { } window) yield return OnnxAttribute.Of("local_window_size", window);
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
        // [batch, time · heads, headSize]
        string heads = graph.Add("Reshape", input + ".heads", [input, graph.Integers("attention.heads", [0, -1, a.HeadSize])]);
        string weight = graph.Weight($"layers.{layer}.attention.{part}.weight", Spec(layer, part + ".weight", a.HeadSize));
        string normed = NormGraph.Add(graph, heads, input + ".normed", weight, a.RmsNormEpsilon);
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
