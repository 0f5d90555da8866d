using System.Runtime.InteropServices;
using Distill.Architecture;
using Distill.Export.Graph;
using Distill.Export.Onnx;

namespace Distill.Export.Formats;

/// <summary>MatMul with the matrix stored [in, out], which ONNX Runtime packs once when it opens the model.</summary>
internal class SingleFormat : WeightFormat
{
    public override string Multiply(GraphAssembly graph, string input, string output, string name, ProjectionWeights weights)
    {
        string matrix = graph.Constant(new(name + ".weight", OnnxElementType.Float, [weights.Columns, weights.Rows],
            (source, column, target) => weights.CopyTransposed(source, column, MemoryMarshal.Cast<byte, float>(target))));
        return graph.Add("MatMul", output, [input, matrix]);
    }

    public override string Embed(GraphAssembly graph, string ids, string output, ParameterSpec embedding) =>
        graph.Add("Gather", output, [graph.Weight(embedding.Name, embedding), ids]);

    // A tied head transposes the stored embedding: folded when the model is opened, so it costs no bytes in the file and no time in a run.
    public override string Head(GraphAssembly graph, string input, string output, ParameterSpec head, bool tied) => tied
        ? graph.Add("MatMul", output, [input, Transposed(graph, graph.Weight(head.Name, head))])
        : Multiply(graph, input, output, "lm_head", new ProjectionWeights(head));

    private static string Transposed(GraphAssembly graph, string table) =>
        graph.Add("Transpose", "lm_head.transposed", [table], OnnxAttribute.Of("perm", [1, 0]));
}

/// <summary>
/// fp32 with every matrix as its operator reads it, so that nothing has to be folded when the model is opened and all weights can change
/// afterwards.
/// </summary>
internal sealed class LiveFormat : SingleFormat
{
    public override string Head(GraphAssembly graph, string input, string output, ParameterSpec head, bool tied) =>
        Multiply(graph, input, output, "lm_head", new ProjectionWeights(head));
}

/// <summary>
/// Matrices rounded to fp16 (nearest, ties to even) in the file and cast to fp32 in the graph, which ONNX Runtime does once on opening.
/// </summary>
internal sealed class HalfFormat : WeightFormat
{
    private static readonly OnnxAttribute ToFloat = OnnxAttribute.Of("to", (long)OnnxElementType.Float);

    public override string Multiply(GraphAssembly graph, string input, string output, string name, ProjectionWeights weights)
    {
        void Fill(WeightSet source, int column, Span<byte> target)
        {
            float[] values = new float[target.Length / 2];
            weights.CopyTransposed(source, column, values);
            Store(values, target);
        }

        string matrix = graph.Constant(new(name + ".weight", OnnxElementType.Float16, [weights.Columns, weights.Rows], Fill));
        return graph.Add("MatMul", output, [input, graph.Add("Cast", name + ".widened", [matrix], ToFloat)]);
    }

    public override string Embed(GraphAssembly graph, string ids, string output, ParameterSpec embedding)
    {
        string rows = graph.Add("Gather", output + ".half", [Table(graph, embedding), ids]);
        return graph.Add("Cast", output, [rows], ToFloat);
    }

    public override string Head(GraphAssembly graph, string input, string output, ParameterSpec head, bool tied)
    {
        if (!tied) return Multiply(graph, input, output, "lm_head", new ProjectionWeights(head));
        string transposed = graph.Add("Transpose", "lm_head.transposed", [Table(graph, head)], OnnxAttribute.Of("perm", [1, 0]));
        return graph.Add("MatMul", output, [input, graph.Add("Cast", "lm_head.widened", [transposed], ToFloat)]);
    }

    private static string Table(GraphAssembly graph, ParameterSpec embedding)
    {
        void Fill(WeightSet weights, int row, Span<byte> target) =>
            Store(weights[embedding.Name].Span.Slice(row * (int)embedding.Shape[1], target.Length / 2), target);
        return graph.Constant(new(embedding.Name, OnnxElementType.Float16, embedding.Shape, Fill));
    }

    private static void Store(ReadOnlySpan<float> values, Span<byte> target)
    {
        var halves = MemoryMarshal.Cast<byte, Half>(target);
        for (int i = 0; i < values.Length; i++) halves[i] = (Half)values[i];
    }
}
