using System.Runtime.InteropServices;
using Distill.Architecture;
using Distill.Export.Onnx;

namespace Distill.Export.Graph;

/// <summary>Biases of projections, always fp32: they are small, and int8 products do not carry them.</summary>
internal static class BiasGraph
{
    /// <param name="input">[…, out]</param>
    /// <param name="parts">The biases that lie side by side in the product, as its matrices do.</param>
    /// <returns>The name of input + bias, [batch, time, out].</returns>
    public static string Add(GraphAssembly graph, string input, string name, params IReadOnlyList<ParameterSpec> parts)
    {
        string bias = graph.Constant(new(name, OnnxElementType.Float, [parts.Sum(part => part.Count)], (weights, first, target) =>
        {
            float[] all = [.. parts.SelectMany(part => weights[part.Name].ToArray())];
            MemoryMarshal.AsBytes<float>(all.AsSpan(first, target.Length / sizeof(float))).CopyTo(target);
        }));
        return graph.Add("Add", input + ".biased", [input, bias]);
    }
}
