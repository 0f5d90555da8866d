using System.Runtime.InteropServices;
using Distill.Architecture;
using Distill.Export.Graph;
using Distill.Export.Onnx;

namespace Distill.Export.Formats;

/// <summary>
/// Every matrix as torch stores it, [out, in], and read by an operator that takes it so: a graph over the trainer's own memory. A tied head
/// reads the embedding itself.
/// </summary>
/// <param name="attention">fp32, or what a card's kernel computes with: fp16, bf16.</param>
internal sealed class InPlaceFormat(OnnxElementType attention) : WeightFormat
{
    private static readonly OnnxAttribute Transposed = OnnxAttribute.Of("transB", 1);

    public override OnnxElementType Attention => attention;

    public override string Multiply(GraphAssembly graph, string input, string output, string name, ProjectionWeights weights) =>
        Product(graph, input, output, graph.Constant(
            new(name + ".weight", OnnxElementType.Float, [weights.Rows, weights.Columns], (source, first, target) =>
            {
                var values = MemoryMarshal.Cast<byte, float>(target);
                for (int row = 0; row < values.Length / weights.Columns; row++)
                    weights.Row(source, first + row).CopyTo(values[(row * weights.Columns)..]);
            }) { Stored = weights.Parts }));

    public override string Embed(GraphAssembly graph, string ids, string output, ParameterSpec embedding) =>
        graph.Add("Gather", output, [graph.Weight(embedding.Name, embedding), ids]);

    public override string Head(GraphAssembly graph, string input, string output, ParameterSpec head, bool tied) =>
        Product(graph, input, output, graph.Weight(head.Name, head));

    private static string Product(GraphAssembly graph, string input, string output, string matrix)
    {
        graph.AddMicrosoft("FusedMatMul", [output], [input, matrix], Transposed);
        return output;
    }
}
