using System.Runtime.InteropServices;
using Distill.Architecture;
using Distill.Export.Graph;
using Distill.Export.Onnx;

namespace Distill.Export.Formats;

/// <summary>
/// MatMul with the matrix stored [in, out], which ONNX Runtime packs once when it opens the model. Everything is of one type, what flows
/// between the operators and the cache too, but the logits: CUDA's GroupQueryAttention takes fp16 and bf16, with the cache and the
/// rotary tables in the same, and a cast that stood anywhere else would cost a kernel and a copy of what it casts.
/// </summary>
internal class FloatFormat(OnnxElementType type, bool isPortable = false) : WeightFormat
{
    public override bool IsPortable => isPortable;

    public override OnnxElementType Flow => type;

    public override string Multiply(GraphAssembly graph, string input, string output, string name, ProjectionWeights weights)
    {
        void Fill(WeightSet source, int column, Span<byte> target)
        {
            if (type == OnnxElementType.Float)
            {
                weights.CopyTransposed(source, column, MemoryMarshal.Cast<byte, float>(target));
                return;
            }

            float[] values = new float[target.Length / 2];
            weights.CopyTransposed(source, column, values);
            StoredNumbers.Write(values, target, type);
        }

        string matrix = graph.Constant(new(name + ".weight", type, [weights.Columns, weights.Rows], Fill));
        return graph.Add("MatMul", output, [input, matrix]);
    }

    public override string Embed(GraphAssembly graph, string ids, string output, ParameterSpec embedding) =>
        graph.Add("Gather", output, [graph.Weight(embedding.Name, embedding), ids]);

    // A tied head transposes the stored embedding: folded when the model is opened, so it costs no bytes in the file and no time in a run.
    public override string Head(GraphAssembly graph, string input, string output, ParameterSpec head, bool tied)
    {
        string product = type == OnnxElementType.Float ? output : "lm_head.output";
        if (tied) graph.Add("MatMul", product, [input, Transposed(graph, graph.Weight(head.Name, head))]);
        else Multiply(graph, input, product, "lm_head", new ProjectionWeights(head));
        return type == OnnxElementType.Float ? output
            : graph.Add("Cast", output, [product], OnnxAttribute.Of("to", (long)OnnxElementType.Float));
    }

    private static string Transposed(GraphAssembly graph, string table) =>
        graph.Add("Transpose", "lm_head.transposed", [table], OnnxAttribute.Of("perm", [1, 0]));
}

/// <summary>
/// fp32 with every matrix as its operator reads it, so that nothing has to be folded when the model is opened and all weights can change
/// afterwards.
/// </summary>
internal sealed class LiveFormat() : FloatFormat(OnnxElementType.Float)
{
    public override string Head(GraphAssembly graph, string input, string output, ParameterSpec head, bool tied) =>
        Multiply(graph, input, output, "lm_head", new ProjectionWeights(head));
}
