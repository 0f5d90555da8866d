namespace Distill.Generation.Onnx;

/// <summary>A field of a protobuf message in its file: from its tag to its end.</summary>
internal readonly record struct GraphPiece(int Field, long Start, long End)
{
    public long Length => End - Start;
}

/// <param name="HasGraph">An attribute is a graph, which may use any value of the graph around it.</param>
internal sealed record GraphNode(
    GraphPiece Piece, string Operator, string Domain, IReadOnlyList<string> Inputs, IReadOnlyList<string> Outputs, bool HasGraph);

/// <param name="Rank">Number of dimensions.</param>
/// <param name="IsRow">All dimensions but the last are 1, so that it means the same to every row of what it is combined with.</param>
/// <param name="Location">File that holds its data, as the graph names it; null for data in place.</param>
internal sealed record GraphInitializer(GraphPiece Piece, string Name, int Rank, bool IsRow, string? Location);

/// <summary>A graph input, output or intermediate value whose type the file gives.</summary>
internal sealed record GraphValueInfo(GraphPiece Piece, string Name);

/// <summary>
/// Which nodes an ONNX file has, how they hang together and where they lie; weights are passed over. Field numbers: onnx.proto3.
/// </summary>
/// <param name="Model">Fields of the model in order, its graph among them.</param>
/// <param name="Graph">The graph, from its tag to its end.</param>
/// <param name="Fields">Fields of the graph in order.</param>
/// <param name="AttributeFiles">Files that hold data of attributes (those of Constant, say), as the graph names them.</param>
internal sealed record GraphOutline(
    IReadOnlyList<GraphPiece> Model, GraphPiece Graph, IReadOnlyList<GraphPiece> Fields, IReadOnlyList<GraphNode> Nodes,
    IReadOnlyList<GraphInitializer> Initializers, IReadOnlyList<GraphValueInfo> Inputs, IReadOnlyList<GraphValueInfo> Outputs,
    IReadOnlyList<GraphValueInfo> Values, IReadOnlyList<string> AttributeFiles)
{
    /// <summary>
    /// Most fields, names and 64s of letters of names that are kept, 100 bytes or so each. A decoder has less than a tenth of it; a file of
    /// two-byte fields could ask for many times its size.
    /// </summary>
    public const int MostKept = 1_000_000;

    /// <returns>
    /// Null for a model with functions of its own, or with several graphs: operators may mean anything there; and for one of more than
    /// <see cref="MostKept"/>.
    /// </returns>
    /// <exception cref="InvalidDataException">The file is no ONNX model.</exception>
    public static GraphOutline? Read(Stream stream, string name) => new GraphOutlineReader(new ProtobufReader(stream, name)).Read();
}

internal sealed class GraphOutlineReader(ProtobufReader reader)
{
    private readonly List<GraphPiece> model = [];
    private readonly List<GraphPiece> fields = [];
    private readonly List<GraphNode> nodes = [];
    private readonly List<GraphInitializer> initializers = [];
    private readonly List<GraphValueInfo> inputs = [];
    private readonly List<GraphValueInfo> outputs = [];
    private readonly List<GraphValueInfo> values = [];
    private readonly List<string> attributeFiles = [];
    private long kept;

    // ModelProto: graph 7, functions 25.
    public GraphOutline? Read()
    {
        while (Next(reader.Length))
        {
            long start = reader.Start;
            int field = reader.Field;
            if (field == 7) Graph(reader.Enter());
            else reader.Skip();
            model.Add(new GraphPiece(field, start, reader.Position));
            kept++;
        }

        if (kept > GraphOutline.MostKept) return null;
        if (model.Any(piece => piece.Field == 25) || model.Count(piece => piece.Field == 7) != 1) return null;
        return new GraphOutline(
            model, model.Single(piece => piece.Field == 7), fields, nodes, initializers, inputs, outputs, values, attributeFiles);
    }

    // False at the end of the message, and of all of them once too much is kept.
    private bool Next(long end) => kept <= GraphOutline.MostKept && reader.Next(end);

    private string Text()
    {
        string text = reader.Text();
        kept += 1 + (text.Length / 64);
        return text;
    }

    // GraphProto: node 1, initializer 5, input 11, output 12, value_info 13.
    private void Graph(long end)
    {
        while (Next(end))
        {
            long start = reader.Start;
            int field = reader.Field;
            GraphNode? node = null;
            string? value = null;
            switch (field)
            {
                case 1: node = Node(reader.Enter()); break;
                case 5: initializers.Add(Initializer(reader.Enter(), start)); break;
                case 11 or 12 or 13: value = Name(reader.Enter()); break;
                default: reader.Skip(); break;
            }

            var piece = new GraphPiece(field, start, reader.Position);
            fields.Add(piece);
            kept++;
            if (node is not null) nodes.Add(node with { Piece = piece });
            if (value is not null) (field == 11 ? inputs : field == 12 ? outputs : values).Add(new GraphValueInfo(piece, value));
        }
    }

    // NodeProto: input 1, output 2, op_type 4, attribute 5, domain 7.
    private GraphNode Node(long end)
    {
        List<string> nodeInputs = [], nodeOutputs = [];
        string operation = "", domain = "";
        bool hasGraph = false;
        while (Next(end))
        {
            switch (reader.Field)
            {
                case 1: nodeInputs.Add(Text()); break;
                case 2: nodeOutputs.Add(Text()); break;
                case 4: operation = Text(); break;
                case 5: hasGraph |= Attribute(reader.Enter()); break;
                case 7: domain = Text(); break;
                default: reader.Skip(); break;
            }
        }

        return new GraphNode(default, operation, domain, nodeInputs, nodeOutputs, hasGraph);
    }

    // AttributeProto: t 5, g 6, tensors 10, graphs 11. True when it has a graph.
    private bool Attribute(long end)
    {
        bool found = false;
        while (Next(end))
        {
            found |= reader.Field is 6 or 11;
            if (reader.Field is 5 or 10) AttributeTensor(reader.Enter());
            else reader.Skip();
        }

        return found;
    }

    // TensorProto: external_data 13.
    private void AttributeTensor(long end)
    {
        while (Next(end))
        {
            if (reader.Field != 13) reader.Skip();
            else if (ExternalEntry.Read(reader) is (ExternalEntry.Location, var file)) Keep(file);
        }

        void Keep(string file)
        {
            attributeFiles.Add(file);
            kept += 1 + (file.Length / 64);
        }
    }

    // TensorProto: dims 1, name 8, external_data 13.
    private GraphInitializer Initializer(long end, long start)
    {
        string name = "";
        string? location = null;
        int rank = 0;
        bool isRow = true, one = true;
        while (Next(end))
        {
            switch (reader.Field)
            {
                case 1: reader.Numbers(size => (rank, isRow, one) = (rank + 1, isRow && one, size == 1)); break;
                case 8: name = Text(); break;
                case 13: location = ExternalEntry.Read(reader) is (ExternalEntry.Location, var file) ? file : location; break;
                default: reader.Skip(); break;
            }
        }

        return new GraphInitializer(new GraphPiece(5, start, end), name, rank, isRow, location);
    }

    // ValueInfoProto: name 1.
    private string Name(long end)
    {
        string name = "";
        while (Next(end))
        {
            if (reader.Field == 1) name = Text();
            else reader.Skip();
        }

        return name;
    }
}
