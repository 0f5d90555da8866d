using Distill.Architecture;
using Distill.Export.Formats;
using Distill.Export.Graph;
using Distill.Export.Onnx;

namespace Distill.Export.Adapters;

/// <summary>
/// Another format's products with a low-rank product beside each: x·W + (x·A)·B, where A and B are inputs of the graph that need not be
/// given. Left alone they are zeros of rank 1; an active adapter of ONNX Runtime gives them for a run, in any rank.
/// </summary>
internal sealed class AdaptedFormat(WeightFormat inner, IReadOnlySet<string> adapted) : WeightFormat
{
    private readonly List<OnnxValue> inputs = [];

    /// <summary>A and B of every adapted projection, as they have come up so far.</summary>
    public IReadOnlyList<OnnxValue> Inputs => inputs;

    public override OnnxElementType Flow => inner.Flow;

    public override OnnxElementType Attention => inner.Attention;

    public override bool IsPortable => inner.IsPortable;

    public override string Multiply(GraphAssembly graph, string input, string output, string name, ProjectionWeights weights)
    {
        // Of products that lie side by side all have one, so that the sums do too.
        if (!weights.Parts.Any(part => adapted.Contains(part.Name))) return inner.Multiply(graph, input, output, name, weights);
        string product = inner.Multiply(graph, input, output + ".base", name, weights);
        string[] changes = [.. weights.Parts.Select(part => Change(graph, input, part))];
        string change = changes is [var only] ? only
            : graph.Add("Concat", output + ".change", changes, OnnxAttribute.Of("axis", -1));
        return graph.Add("Add", output, [product, change]);
    }

    public override string Embed(GraphAssembly graph, string ids, string output, ParameterSpec embedding) =>
        inner.Embed(graph, ids, output, embedding);

    public override string Head(GraphAssembly graph, string input, string output, ParameterSpec head, bool tied) =>
        inner.Head(graph, input, output, head, tied);

    // [batch, time, in] → [batch, time, rank] → [batch, time, out]
    private string Change(GraphAssembly graph, string input, ParameterSpec part)
    {
        string module = AdapterNames.ModuleOf(part.Name), rank = $"{module}.rank";
        string a = Input(graph, AdapterNames.A(part.Name), [part.Shape[1], rank], [part.Shape[1], 1]);
        string b = Input(graph, AdapterNames.B(part.Name), [rank, part.Shape[0]], [1, part.Shape[0]]);
        return graph.Add("MatMul", $"{module}.up", [graph.Add("MatMul", $"{module}.down", [input, a]), b]);
    }

    private string Input(GraphAssembly graph, string name, OnnxDimension[] shape, long[] unused)
    {
        inputs.Add(new(name, Flow, shape));
        static void Zeros(WeightSet weights, int firstRow, Span<byte> target) => target.Clear();
        return graph.Constant(new(name, Flow, unused, Zeros) { IsWeight = false });
    }
}

/// <summary>Names of an adapter's tensors, in the graph and in adapter files alike.</summary>
internal static class AdapterNames
{
    private const string Weight = ".weight";

    /// <summary>[in, rank]</summary>
    public static string A(string parameter) => $"{ModuleOf(parameter)}.lora_A";

    /// <summary>[rank, out], multiplied by the adapter's scaling.</summary>
    public static string B(string parameter) => $"{ModuleOf(parameter)}.lora_B";

    public static string ModuleOf(string parameter) => parameter[..^Weight.Length];

    /// <summary>Whether a parameter can have one: the projections within the layers.</summary>
    public static bool MayHave(string parameter) => parameter.EndsWith("_proj.weight", StringComparison.Ordinal);
}
