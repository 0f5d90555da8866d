using System.Runtime.InteropServices;
using Distill.Architecture;
using Distill.Export.Formats;
using Distill.Export.Onnx;

namespace Distill.Export.Graph;

/// <summary>Collects nodes and constants while a graph is described, and names what flows between them.</summary>
/// <param name="flow">Type of what flows, and of the weights that no format of their own has: norms, biases, tables.</param>
internal sealed class GraphAssembly(OnnxElementType flow = OnnxElementType.Float)
{
    public const string Microsoft = "com.microsoft";
    private readonly List<OnnxNode> nodes = [];
    private readonly List<OnnxInitializer> initializers = [];
    private readonly HashSet<string> names = [];

    public OnnxElementType Flow => flow;

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

    /// <summary>Adds a node unless there is one already that makes what it makes.</summary>
    public void AddOnce(OnnxNode node)
    {
        if (!names.Contains(node.Outputs[0])) Add(node);
    }

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

    /// <summary>A number that does not depend on the weights, a scalar.</summary>
    public string Number(string name, float value, OnnxElementType type = OnnxElementType.Float)
    {
        void Fill(WeightSet weights, int firstRow, Span<byte> target) => StoredNumbers.Write([value], target, type);
        return Constant(new(name, type, [], Fill) { IsWeight = false });
    }

    /// <summary>A weight as it is stored, in the type of what flows: a norm, an embedding.</summary>
    public string Weight(string name, ParameterSpec parameter) => Numbers(name, flow, parameter.Shape, (weights, first, count) =>
    {
        int width = (int)(parameter.Count / parameter.Shape[0]);
        return weights[parameter.Name].Span.Slice(first * width, count);
    }, stored: [parameter]);

    /// <summary>A constant of fp32 numbers in some type, rounded to nearest.</summary>
    /// <param name="numbers">Gives so many of them, from the slice of the first dimension on that it is told.</param>
    /// <param name="stored"><see cref="OnnxInitializer.Stored"/></param>
    public string Numbers(
        string name, OnnxElementType type, IReadOnlyList<long> shape, NumberSource numbers, bool isWeight = true,
        params IReadOnlyList<ParameterSpec> stored)
    {
        int bytes = type == OnnxElementType.Float ? sizeof(float) : sizeof(ushort);
        void Fill(WeightSet weights, int first, Span<byte> target) =>
            StoredNumbers.Write(numbers(weights, first, target.Length / bytes), target, type);
        return Constant(new(name, type, shape, Fill) { IsWeight = isWeight, Stored = stored });
    }
}

/// <param name="first">Slice of the first dimension.</param>
/// <param name="count">Numbers, of whole slices.</param>
internal delegate ReadOnlySpan<float> NumberSource(WeightSet weights, int first, int count);
