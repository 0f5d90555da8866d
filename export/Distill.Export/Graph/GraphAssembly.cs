using System.Runtime.InteropServices;
using Distill.Architecture;
using Distill.Export.Onnx;

namespace Distill.Export.Graph;

/// <summary>Collects nodes and constants while a graph is described, and names what flows between them.</summary>
internal sealed class GraphAssembly
{
    public const string Microsoft = "com.microsoft";
    private readonly List<OnnxNode> nodes = [];
    private readonly List<OnnxInitializer> initializers = [];
    private readonly HashSet<string> names = [];

    public IReadOnlyList<OnnxNode> Nodes => nodes;

    public IReadOnlyList<OnnxInitializer> Initializers => initializers;

    /// <summary>Adds a node with one output.</summary>
    /// <returns><paramref name="output"/>.</returns>
    public string Add(string operation, string output, IReadOnlyList<string> inputs, params OnnxAttribute[] attributes)
    {
        Add(new OnnxNode(operation, inputs, [output], attributes));
        return output;
    }

    /// <summary>Adds a node of ONNX Runtime's own operators.</summary>
    public void AddMicrosoft(string operation, IReadOnlyList<string> outputs, IReadOnlyList<string> inputs,
        params OnnxAttribute[] attributes) =>
        Add(new OnnxNode(operation, inputs, outputs, attributes, Microsoft));

    public void Add(OnnxNode node)
    {
        foreach (string output in node.Outputs)
            if (output.Length > 0 && !names.Add(output)) throw new InvalidOperationException($"The graph makes '{output}' twice.");
        nodes.Add(node);
    }

    /// <summary>Adds a constant once; the same name again refers to it.</summary>
    public string Constant(OnnxInitializer initializer)
    {
        if (names.Add(initializer.Name)) initializers.Add(initializer);
        return initializer.Name;
    }

    /// <summary>A constant that does not depend on the weights: an axis, a shape. A scalar when <paramref name="scalar"/>.</summary>
    public string Integers(string name, IReadOnlyList<long> values, bool scalar = false)
    {
        long[] copy = [.. values];
        void Fill(WeightSet weights, int firstRow, Span<byte> target) => MemoryMarshal.AsBytes<long>(copy).CopyTo(target);
        return Constant(new(name, OnnxElementType.Int64, scalar ? [] : [copy.Length], Fill) { IsWeight = false });
    }

    /// <summary>A weight in fp32, as it is stored: a norm, an fp32 embedding.</summary>
    public string Weight(string name, ParameterSpec parameter) =>
        Constant(new(name, OnnxElementType.Float, parameter.Shape, (weights, row, target) =>
        {
            int width = (int)(parameter.Count / parameter.Shape[0]);
            MemoryMarshal.AsBytes(weights[parameter.Name].Span.Slice(row * width, target.Length / sizeof(float))).CopyTo(target);
        }) { Stored = [parameter] });
}
