using System.Runtime.InteropServices;

namespace Distill.Export.Graph;

/// <summary>MatMul with the matrix stored [in, out], which ONNX Runtime packs once when it opens the model.</summary>
internal sealed class FloatProjection(FloatFormat format) : ProjectionFormat
{
    public override string Multiply(GraphAssembly graph, string input, string output, string name, ProjectionWeights weights)
    {
        string matrix = graph.Constant(new(name + ".weight", format.Type(), [weights.Columns, weights.Rows], (source, column, target) =>
        {
            if (format == FloatFormat.Single)
            {
                weights.CopyTransposed(source, column, MemoryMarshal.Cast<byte, float>(target));
                return;
            }

            float[] values = new float[target.Length / format.Bytes()];
            weights.CopyTransposed(source, column, values);
            format.Store(values, target);
        }));
        return graph.Add("MatMul", output, [input, matrix]);
    }
}
