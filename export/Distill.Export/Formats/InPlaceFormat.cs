using Distill.Architecture;
using Distill.Export.Graph;
using Distill.Export.Onnx;

namespace Distill.Export.Formats;

/// <summary>
/// Every matrix as torch stores it, [out, in], and read by an operator that takes it so: a graph over the trainer's own memory. A tied head
/// reads the embedding itself.
/// </summary>
/// <param name="type">Of the weights and of what flows.</param>
/// <param name="attention">As that, or what a card's kernel computes with: fp16, bf16.</param>
internal sealed class InPlaceFormat(OnnxElementType type, OnnxElementType attention) : WeightFormat
{
    private static readonly OnnxAttribute Transposed = OnnxAttribute.Of("transB", 1);

    private static readonly OnnxAttribute Widened = OnnxAttribute.Of("to", (long)OnnxElementType.Float);

    public override OnnxElementType Flow => type;

    public override OnnxElementType Attention => attention;

    public override string Multiply(GraphAssembly graph, string input, string output, string name, ProjectionWeights weights) =>
        Product(graph, input, output, graph.Numbers(name + ".weight", type, [weights.Rows, weights.Columns], (source, first, count) =>
        {
            float[] values = new float[count];
            for (int row = 0; row < count / weights.Columns; row++)
                weights.Row(source, first + row).CopyTo(values.AsSpan(row * weights.Columns));
            return values;
        }, stored: weights.Parts));

    public override string Embed(GraphAssembly graph, string ids, string output, ParameterSpec embedding) =>
        graph.Add("Gather", output, [graph.Weight(embedding.Name, embedding), ids]);

    // The logits are fp32 always.
    public override string Head(GraphAssembly graph, string input, string output, ParameterSpec head, bool tied)
    {
        string matrix = graph.Weight(head.Name, head);
        return type == OnnxElementType.Float ? Product(graph, input, output, matrix)
            : graph.Add("Cast", output, [Product(graph, input, "lm_head.output", matrix)], Widened);
    }

    private static string Product(GraphAssembly graph, string input, string output, string matrix)
    {
        graph.AddMicrosoft("FusedMatMul", [output], [input, matrix], Transposed);
        return output;
    }
}
