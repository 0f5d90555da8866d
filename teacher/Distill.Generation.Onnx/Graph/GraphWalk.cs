using Microsoft.ML.OnnxRuntime.Tensors;

namespace Distill.Generation.Onnx;

/// <summary>
/// Walks an ONNX file before ONNX Runtime sees it: checks every reference to external data and collects what tells how to run
/// the graph. Reads names and numbers only, never weights. Field numbers: onnx.proto3.
/// </summary>
internal sealed class GraphWalk
{
    private const int DeepestGraph = 32;
    private const int MostDeclared = 100_000; // a decoder has a few hundred; each is kept
    private const string SharedCacheOperator = "GroupQueryAttention", CountingOperator = "CumSum";

    private readonly ProtobufReader reader;
    private readonly string? folder;
    private readonly Dictionary<string, int> elementTypes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IReadOnlyList<long>> dimensions = new(StringComparer.Ordinal);
    private int declared; // inputs, outputs and their dimensions
    private bool sharesCache;
    private bool counts;

    private GraphWalk(ProtobufReader reader, string? folder)
    {
        this.reader = reader;
        this.folder = folder;
    }

    /// <exception cref="InvalidDataException">The file is no ONNX model, or refers to data that it must not or cannot have.</exception>
    public static GraphFacts Read(string graphPath)
    {
        using var stream = new FileStream(graphPath, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        return Read(stream, graphPath, Path.GetDirectoryName(graphPath));
    }

    /// <summary>A model given as bytes has no folder: it must not refer to external data at all.</summary>
    /// <inheritdoc cref="Read(string)"/>
    public static GraphFacts Read(byte[] model)
    {
        using var stream = new MemoryStream(model, writable: false);
        return Read(stream, "The model given as bytes", null);
    }

    /// <param name="stream">Seekable.</param>
    /// <param name="name">Full path of the file, or a description.</param>
    /// <param name="folder">Where external data lie; null when there must be none.</param>
    /// <inheritdoc cref="Read(string)"/>
    public static GraphFacts Read(Stream stream, string name, string? folder)
    {
        var walk = new GraphWalk(new ProtobufReader(stream, name), folder);
        walk.Model();
        return new GraphFacts(walk.sharesCache, walk.elementTypes, walk.dimensions) { CountsPositions = walk.counts };
    }

    // ModelProto: graph 7, functions 25.
    private void Model()
    {
        bool graph = false;
        while (reader.Next(reader.Length))
        {
            switch (reader.Field)
            {
                case 7:
                    graph = true;
                    Graph(reader.Enter(), 0);
                    break;
                case 25: Function(reader.Enter()); break;
                default: reader.Skip(); break;
            }
        }

        if (!graph) throw reader.Fault("has no graph");
    }

    // FunctionProto: node 7.
    private void Function(long end)
    {
        while (reader.Next(end))
        {
            if (reader.Field == 7) Node(reader.Enter(), 0);
            else reader.Skip();
        }
    }

    // GraphProto: node 1, initializer 5, input 11, output 12, sparse_initializer 15.
    private void Graph(long end, int depth)
    {
        if (depth > DeepestGraph) throw reader.Fault($"nests graphs deeper than {DeepestGraph}");
        while (reader.Next(end))
        {
            switch (reader.Field)
            {
                case 1: Node(reader.Enter(), depth); break;
                case 5: TensorWalk.Check(reader, folder); break;
                case 11 or 12 when depth == 0: Value(reader.Enter()); break;
                case 15: throw reader.Fault("has sparse initializers, which this reader does not know");
                default: reader.Skip(); break;
            }
        }
    }

    // NodeProto: op_type 4, attribute 5.
    private void Node(long end, int depth)
    {
        while (reader.Next(end))
        {
            switch (reader.Field)
            {
                case 4:
                    string operation = reader.Text();
                    sharesCache |= operation == SharedCacheOperator;
                    counts |= operation == CountingOperator;
                    break;
                case 5: Attribute(reader.Enter(), depth); break;
                default: reader.Skip(); break;
            }
        }
    }

    // AttributeProto: t 5, g 6, tensors 10, graphs 11.
    private void Attribute(long end, int depth)
    {
        while (reader.Next(end))
        {
            switch (reader.Field)
            {
                case 5 or 10: TensorWalk.Check(reader, folder); break;
                case 6 or 11: Graph(reader.Enter(), depth + 1); break;
                default: reader.Skip(); break;
            }
        }
    }

    // ValueInfoProto: name 1, type 2. TypeProto: tensor_type 1. TypeProto.Tensor: elem_type 1, shape 2. TensorShapeProto: dim 1.
    // Dimension: dim_value 1.
    private void Value(long end)
    {
        string name = "";
        int type = 0;
        var dims = new List<long>();
        while (reader.Next(end))
        {
            if (reader.Field == 1) name = reader.Text();
            else if (reader.Field == 2) Fields(1, Tensor);
            else reader.Skip();
        }

        Declare();
        elementTypes[name] = type;
        dimensions[name] = dims;

        void Tensor()
        {
            long tensor = reader.Enter();
            while (reader.Next(tensor))
            {
                if (reader.Field == 1) type = reader.Number();
                else if (reader.Field == 2) Fields(1, Dimensions);
                else reader.Skip();
            }
        }

        void Dimensions()
        {
            Declare();
            dims.Add(Dimension());
        }
    }

    private void Declare()
    {
        if (++declared > MostDeclared) throw reader.Fault($"has more than {MostDeclared} inputs, outputs and dimensions of these");
    }

    private long Dimension()
    {
        long value = 0;
        Fields(1, () => value = reader.Number());
        return value;
    }

    /// <summary>Enters a message, reads every field of a number and skips the others.</summary>
    private void Fields(int field, Action read)
    {
        long end = reader.Enter();
        while (reader.Next(end))
        {
            if (reader.Field == field) read();
            else reader.Skip();
        }
    }
}

/// <summary>What an ONNX file says of itself without being loaded.</summary>
/// <param name="SharesCache">
/// It has GroupQueryAttention, which appends to one cache buffer in place; otherwise a cache grows by copies.
/// </param>
/// <param name="ElementTypes">Numbers of the enumeration <see cref="TensorElementType"/> (that of onnx.proto3) by input or output.</param>
/// <param name="Dimensions">Of each input and output; 0 where one is open.</param>
internal sealed record GraphFacts(
    bool SharesCache, IReadOnlyDictionary<string, int> ElementTypes, IReadOnlyDictionary<string, IReadOnlyList<long>> Dimensions)
{
    /// <summary>It sums something up along a dimension, as a graph does that counts its positions over the attention mask.</summary>
    public bool CountsPositions { get; init; }

    /// <returns>Null for a value that the graph does not have or whose type is not one the engine computes with.</returns>
    public TensorElementType? FloatTypeOf(string value) =>
        ElementTypes.TryGetValue(value, out int type) && CacheLayout.IsSupported((TensorElementType)type) ? (TensorElementType)type : null;
}
