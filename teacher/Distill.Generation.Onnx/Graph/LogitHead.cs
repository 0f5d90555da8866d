namespace Distill.Generation.Onnx;

/// <summary>
/// The end of a decoder graph: the product that makes logits of hidden states, and what follows it. Everything there treats one position
/// like another, so that positions may be left out before it without changing the others.
/// </summary>
/// <param name="Product">Its first input holds the hidden states, [batch, time, hidden].</param>
/// <param name="Values">From the product's output to the logits.</param>
internal sealed record LogitHead(GraphNode Product, IReadOnlySet<string> Values)
{
    // Casts, biases and soft caps are two or three; a longer way is none of those.
    private const int LongestWay = 12, DeepestConstant = 6;

    private const string Microsoft = "com.microsoft";

    /// <returns>Null when the end of the graph is not known to be of this kind.</returns>
    public static LogitHead? Find(GraphOutline graph, string logits)
    {
        var uses = graph.Nodes.SelectMany(node => node.Inputs).CountBy(name => name).ToDictionary();
        var makers = graph.Nodes.SelectMany(node => node.Outputs.Select(output => (output, node)))
            .DistinctBy(pair => pair.output).ToDictionary(pair => pair.output, pair => pair.node, StringComparer.Ordinal);
        if (graph.Nodes.Any(node => node.HasGraph)) return null; // may use any value without naming it as an input
        var constants = new ConstantValues(graph, makers);
        var values = new HashSet<string>(StringComparer.Ordinal);
        string value = logits;
        while (values.Count < LongestWay && makers.TryGetValue(value, out GraphNode? node) && node.Outputs.Count == 1)
        {
            bool isLast = value == logits;
            if (uses.GetValueOrDefault(value) != (isLast ? 0 : 1) || graph.Outputs.Any(output => output.Name == value) != isLast)
                return null;
            values.Add(value);
            if (IsProduct(node, constants)) return new LogitHead(node, values);
            if (DataOf(node, constants) is not { } data) return null;
            value = data;
        }

        return null;
    }

    private static bool IsProduct(GraphNode node, ConstantValues constants) => (node.Domain, node.Operator) switch
    {
        ("" or "ai.onnx", "MatMul") => node.Inputs.Count == 2 && constants.IsMatrix(node.Inputs[1]),
        (Microsoft, "MatMulNBits") => node.Inputs.Count > 2 && node.Inputs.Skip(1).All(name => name.Length == 0 || constants.Has(name)),
        _ => false,
    } && !constants.IsMatrix(node.Inputs[0]);

    /// <returns>The one input of an operator that computes each number of it by itself; null for other operators.</returns>
    private static string? DataOf(GraphNode node, ConstantValues constants)
    {
        if (node.Domain is not ("" or "ai.onnx")) return null;
        return (node.Operator, node.Inputs) switch
        {
            ("Cast" or "Identity" or "Tanh", [var data]) => data,
            ("Add" or "Sub" or "Mul" or "Div", [var data, var row]) when constants.IsRow(row) => data,
            ("Add" or "Sub" or "Mul" or "Div", [var row, var data]) when constants.IsRow(row) => data,
            _ => null,
        };
    }

    /// <summary>Values that do not depend on what the graph is given.</summary>
    private sealed class ConstantValues
    {
        private readonly Dictionary<string, GraphInitializer> constants;
        private readonly Dictionary<string, GraphNode> makers;

        public ConstantValues(GraphOutline graph, Dictionary<string, GraphNode> makers)
        {
            this.makers = makers;
            constants = graph.Initializers.DistinctBy(value => value.Name).ToDictionary(value => value.Name, StringComparer.Ordinal);
            foreach (GraphValueInfo input in graph.Inputs) constants.Remove(input.Name); // only a default
        }

        public bool Has(string value) => constants.ContainsKey(value);

        public bool IsRow(string value) => constants.TryGetValue(value, out var constant) && constant.IsRow;

        /// <summary>A stored matrix, also one that is transposed, cast or dequantized first.</summary>
        public bool IsMatrix(string value) => IsMatrix(value, 0);

        private bool IsMatrix(string value, int depth) =>
            constants.TryGetValue(value, out var constant) ? constant.Rank <= 2
            : depth < DeepestConstant && makers.TryGetValue(value, out GraphNode? node)
                && node is { Domain: "" or "ai.onnx", Operator: "Transpose" or "Cast" or "Identity" or "DequantizeLinear" }
                && node.Inputs.All(input => input.Length == 0 || IsMatrix(input, depth + 1));
    }
}
