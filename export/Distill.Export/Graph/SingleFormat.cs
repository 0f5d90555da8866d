using System.Runtime.InteropServices;
using Distill.Architecture;
using Distill.Export.Onnx;

namespace Distill.Export.Graph;

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
        ? graph.Add("MatMul", output, [input, graph.Add("Transpose", "lm_head.transposed", [graph.Weight(head.Name, head)], OnnxAttribute.Of("perm", [1, 0]))])
        : Multiply(graph, input, output, "lm_head", new ProjectionWeights(head));
}
