using Distill.Architecture;
using Distill.Export.Onnx;

namespace Distill.Export.Graph;

/// <summary>
/// Norms and attention in operators of the ONNX standard, which any runtime has: the cache grows by concatenation, and masks and positions
/// follow from the attention mask, so that rows may be padded on either side. Computed in fp32 where it matters.
/// </summary>
internal sealed class StandardOperators : DecoderOperators
{
    private readonly GraphAssembly graph;
    private readonly DecoderArchitecture a;
    private readonly StandardMask mask;

    public StandardOperators(GraphAssembly graph, DecoderArchitecture a)
    {
        (this.graph, this.a) = (graph, a);
        mask = new StandardMask(graph, a);
    }

    public override bool TakesPacked => false;

    private bool IsNarrow => graph.Flow != OnnxElementType.Float;

    public override string Norm(string input, string output, string weight)
    {
        string wide = Wide(input, output);
        string squares = graph.Add("Pow", $"{output}.squares", [wide, graph.Number("constant.two", 2)]);
        string mean = graph.Add("ReduceMean", $"{output}.mean", [squares, graph.Integers("constant.last", [-1])],
            OnnxAttribute.Of("keepdims", 1));
        string moved = graph.Add("Add", $"{output}.moved", [mean, graph.Number("constant.epsilon", (float)a.RmsNormEpsilon)]);
        string root = graph.Add("Sqrt", $"{output}.root", [moved]);
        string divided = graph.Add("Div", $"{output}.divided", [wide, root]);
        return graph.Add("Mul", output, [IsNarrow ? Cast(divided, $"{output}.narrow", graph.Flow) : divided, weight]);
    }

    public override (string Normed, string Residual) NormOfSum(
        string residual, string branch, string name, string weight, bool last = false)
    {
        string sum = graph.Add("Add", name + ".residual", [residual, branch]);
        return (Norm(sum, name + ".normed", weight), sum);
    }

    public override string Attend(int layer, string at, (string Q, string K, string V) qkv)
    {
        string q = Heads(qkv.Q, a.Heads), k = Heads(qkv.K, a.KeyValueHeads), v = Heads(qkv.V, a.KeyValueHeads);
        if (a.IsRotary(layer)) (q, k) = (mask.Turned(q), mask.Turned(k));
        string keys = Appended(DecoderValues.PastKey(layer), k, DecoderValues.PresentKey(layer));
        string values = Appended(DecoderValues.PastValue(layer), v, DecoderValues.PresentValue(layer));
        string scale = graph.Number("constant.scale", (float)(1 / Math.Sqrt(a.HeadSize)), graph.Flow);
        // The query heads of one key-value head come after one another: [batch, kv, heads / kv · time, headSize].
        string grouped = graph.Add("Reshape", $"{at}.grouped", [graph.Add("Mul", $"{at}.scaled", [q, scale]),
            graph.Integers("attention.grouped", [0, a.KeyValueHeads, -1, a.HeadSize])]);
        string turned = graph.Add("Transpose", $"{at}.keys", [keys], OnnxAttribute.Of("perm", [0, 1, 3, 2]));
        string scores = graph.Add("MatMul", $"{at}.scores", [grouped, turned]); // [batch, kv, heads / kv · time, total]
        string spread = graph.Add("Reshape", $"{at}.spread", [Wide(scores, scores), mask.ByHead]); // [batch, kv, heads / kv, time, total]
        string hidden = graph.Add("Add", $"{at}.hidden", [spread, mask.Bias(a.WindowOf(layer))]);
        string shares = graph.Add("Softmax", $"{at}.shares", [hidden], OnnxAttribute.Of("axis", -1));
        string narrow = IsNarrow ? Cast(shares, $"{at}.shares.narrow", graph.Flow) : shares;
        string joined = graph.Add("Reshape", $"{at}.joined", [narrow, mask.Joined]);
        string sums = graph.Add("MatMul", $"{at}.sums", [joined, values]); // [batch, kv, heads / kv · time, headSize]
        string heads = graph.Add("Reshape", $"{at}.heads", [sums, graph.Integers("attention.byHead", [0, a.Heads, -1, a.HeadSize])]);
        string rows = graph.Add("Transpose", $"{at}.rows", [heads], OnnxAttribute.Of("perm", [0, 2, 1, 3]));
        return graph.Add("Reshape", $"{at}.attended", [rows, graph.Integers("attention.row", [0, -1, a.Heads * a.HeadSize])]);
    }

    // [batch, time, heads · headSize] → [batch, heads, time, headSize]
    private string Heads(string input, int heads)
    {
        string split = graph.Add(
            "Reshape", $"{input}.split", [input, graph.Integers($"attention.split{heads}", [0, -1, heads, a.HeadSize])]);
        return graph.Add("Transpose", $"{input}.rows", [split], OnnxAttribute.Of("perm", [0, 2, 1, 3]));
    }

    private string Appended(string past, string values, string present) =>
        graph.Add("Concat", present, [past, values], OnnxAttribute.Of("axis", 2));

    private string Wide(string input, string name) => IsNarrow ? Cast(input, $"{name}.wide", OnnxElementType.Float) : input;

    private string Cast(string input, string output, OnnxElementType type) =>
        graph.Add("Cast", output, [input], OnnxAttribute.Of("to", (long)type));
}
