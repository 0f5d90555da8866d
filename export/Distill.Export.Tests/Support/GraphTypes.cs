using Distill.Export.Graph;
using Distill.Export.Onnx;

namespace Distill.Export.Tests.Support;

/// <summary>
/// The element type of every value of a decoder graph, worked out operator by operator from the inputs and constants alone. An operator
/// that gets types it does not take is a fault, as ONNX's type inference would find.
/// </summary>
internal static class GraphTypes
{
    public static Dictionary<string, OnnxElementType> Of(OnnxModel model)
    {
        var types = model.Inputs.ToDictionary(input => input.Name, input => input.Type);
        foreach (var constant in model.Initializers) types.Add(constant.Name, constant.Type);
        foreach (var node in model.Nodes)
        {
            var inputs = node.Inputs.Select(name => name.Length == 0 ? (OnnxElementType?)null : types[name]).ToArray();
            var outputs = OutputsOf(node, inputs);
            foreach (string name in node.Outputs.Where(name => name.Length > 0)) types.Add(name, outputs);
        }

        foreach (var output in model.Outputs) types[output.Name].ShouldBe(output.Type, output.Name);
        return types;
    }

    // Every operator used here gives all its outputs in one type.
    private static OnnxElementType OutputsOf(OnnxNode node, OnnxElementType?[] inputs)
    {
        string what = $"{node.Operator} that makes {node.Outputs[0]}";
        OnnxElementType Equal(params int[] places)
        {
            var type = inputs[places[0]].ShouldNotBeNull(what);
            foreach (int place in places) inputs[place].ShouldBe(type, $"input {place} of {what}");
            return type;
        }

        OnnxElementType Data(params (int Place, OnnxElementType Type)[] others)
        {
            foreach (var (place, type) in others) inputs[place].ShouldBe(type, $"input {place} of {what}");
            return inputs[0].ShouldNotBeNull(what);
        }

        const OnnxElementType Int64 = OnnxElementType.Int64, Int32 = OnnxElementType.Int32, Bytes = OnnxElementType.UInt8;
        switch (node.Domain, node.Operator)
        {
            case ("", "Cast"): return (OnnxElementType)node.Attributes.Single().Integer!.Value;
            case ("", "Shape"): return Int64;
            case ("", "Sigmoid" or "Transpose" or "Floor"): return Data();
            case ("", "Gather" or "Reshape" or "Split" or "ReduceSum" or "Unsqueeze"): return Data((1, Int64));
            case ("", "Concat"): return Equal([.. Enumerable.Range(0, inputs.Length)]);
            case ("", "MatMul" or "Mul" or "Div" or "Add" or "Sub" or "SimplifiedLayerNormalization"): return Equal(0, 1);
            case (GraphAssembly.Microsoft, "SkipSimplifiedLayerNormalization"): return Equal(0, 1, 2);
            case (GraphAssembly.Microsoft, "MatMulNBits"):
                inputs[1].ShouldBe(Bytes, what);
                return Equal(0, 2);
            case (GraphAssembly.Microsoft, "GroupQueryAttention"):
                Data((5, Int32), (6, Int32));
                return Equal([.. Enumerable.Range(0, inputs.Length).Where(place => place is not (5 or 6) && inputs[place] is not null)]);
            default: throw new InvalidOperationException($"No rule for {node.Domain}.{node.Operator}.");
        }
    }
}

/// <summary>
/// A graph of bf16 as a CPU can compute it: every operator in fp32, and every value that flows rounded to bf16 after it, as a device that
/// adds up in fp32 does.
/// </summary>
internal static class RoundedGraph
{
    private const OnnxElementType Narrow = OnnxElementType.BFloat16, Wide = OnnxElementType.Float;

    public static OnnxModel Of(OnnxModel model)
    {
        var types = GraphTypes.Of(model);
        var nodes = new List<OnnxNode>();
        OnnxNode Cast(string from, string to, OnnxElementType type) => new("Cast", [from], [to], [OnnxAttribute.Of("to", (long)type)]);
        var constants = model.Initializers.Where(constant => constant.Type == Narrow).Select(constant => constant.Name).ToHashSet();
        foreach (string name in constants) nodes.Add(Cast(name, Widened(name), Wide));
        foreach (var node in model.Nodes)
        {
            string[] rounded = [.. node.Outputs.Where(name => name.Length > 0 && types[name] == Narrow)];
            nodes.Add(node with
            {
                Inputs = [.. node.Inputs.Select(name => constants.Contains(name) ? Widened(name) : name)],
                Outputs = [.. node.Outputs.Select(name => rounded.Contains(name) ? name + ".exact" : name)],
            });
            foreach (string name in rounded)
            {
                nodes.Add(Cast(name + ".exact", name + ".rounded", Narrow));
                nodes.Add(Cast(name + ".rounded", name, Wide));
            }
        }

        static OnnxValue Widen(OnnxValue value) => value.Type == Narrow ? value with { Type = Wide } : value;
        return model with { Nodes = nodes, Inputs = [.. model.Inputs.Select(Widen)], Outputs = [.. model.Outputs.Select(Widen)] };
    }

    private static string Widened(string name) => name + ".widened";
}
