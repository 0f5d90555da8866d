using Distill.Architecture;
using Distill.Export.Formats;

namespace Distill.Export.Graph;

/// <summary>SwiGLU: down(silu(gate(x)) · up(x)).</summary>
internal sealed class FeedForwardGraph(GraphAssembly graph, DecoderArchitecture a, WeightFormat format)
{
    /// <param name="input">[batch, time, hidden].</param>
    /// <returns>[batch, time, hidden].</returns>
    public string Add(int layer, string input)
    {
        string at = $"layers.{layer}.mlp";
        string gate = Project(layer, at, "gate_proj", input, a.IntermediateSize, a.HiddenSize);
        string up = Project(layer, at, "up_proj", input, a.IntermediateSize, a.HiddenSize);
        string sigmoid = graph.Add("Sigmoid", $"{at}.sigmoid", [gate]);
        string silu = graph.Add("Mul", $"{at}.silu", [gate, sigmoid]);
        string gated = graph.Add("Mul", $"{at}.gated", [silu, up]);
        return Project(layer, at, "down_proj", gated, a.HiddenSize, a.IntermediateSize);
    }

    private string Project(int layer, string at, string part, string input, int rows, int columns)
    {
        ParameterSpec Spec(string kind, params long[] shape) => new(ParameterMap.Layer(layer, $"mlp.{part}.{kind}"), shape);
        string product = format.Multiply(graph, input, $"{at}.{part}.output", $"{at}.{part}",
            new ProjectionWeights(Spec("weight", rows, columns)));
        return a.FeedForwardBias ? BiasGraph.Add(graph, product, $"{at}.{part}.bias", Spec("bias", rows)) : product;
    }
}

/// <summary>Biases of projections, never quantized: they are small, and int8 products do not carry them.</summary>
internal static class BiasGraph
{
    /// <param name="input">[…, out]</param>
    /// <param name="parts">The biases that lie side by side in the product, as its matrices do.</param>
    /// <returns>The name of input + bias, [batch, time, out].</returns>
    public static string Add(GraphAssembly graph, string input, string name, params IReadOnlyList<ParameterSpec> parts)
    {
        string bias = graph.Numbers(name, graph.Flow, [parts.Sum(part => part.Count)], (weights, first, count) =>
        {
            float[] all = [.. parts.SelectMany(part => weights[part.Name].ToArray())];
            return all.AsSpan(first, count);
        }, stored: parts);
        return graph.Add("Add", input + ".biased", [input, bias]);
    }
}
