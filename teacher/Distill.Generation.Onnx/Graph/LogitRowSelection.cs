using Microsoft.ML.OnnxRuntime.Tensors;

namespace Distill.Generation.Onnx;

/// <summary>
/// Rewrites a decoder graph, while it is loaded, so that it is told which positions' logits are wanted: a tenth to half of a model's
/// arithmetic lies behind its hidden states, and a prompt needs it for one position. The file stays as it is. What is computed of the
/// positions that are kept does not change.
/// </summary>
internal static class LogitRowSelection
{
    /// <summary>Input of a rewritten graph: int64 [rows], places in its ids counted row by row, batch × time.</summary>
    public const string Input = "distill.logit_rows";

    private const string Flat = "distill.hidden_flat", Shape = "distill.hidden_shape", Chosen = "distill.hidden_rows";

    // Read into memory as a whole. Larger graphs hold their weights in the file itself and are loaded from there.
    private const long LargestFile = 512L << 20;

    /// <param name="path">Of an ONNX file whose references to external data have been checked.</param>
    /// <param name="logits">Name of the output [batch, time, vocab].</param>
    /// <returns>
    /// A model whose logits are [1, rows, vocab] for the rows that <see cref="Input"/> names; null for a graph whose end is not known well
    /// enough to say that this is the same.
    /// </returns>
    /// <exception cref="InvalidDataException">The file is no ONNX model.</exception>
    public static SelectingGraph? Apply(string path, string logits)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        return stream.Length > LargestFile ? null : Apply(stream, path, logits);
    }

    /// <param name="stream">Seekable.</param>
    /// <param name="path">Of the file; external data are looked for beside it.</param>
    /// <inheritdoc cref="Apply(string, string)"/>
    public static SelectingGraph? Apply(Stream stream, string path, string logits)
    {
        if (GraphOutline.Read(stream, path) is not { } graph || NamesExist(graph)) return null;
        if (LogitHead.Find(graph, logits) is not { } head) return null;
        if (ExternalFiles.Of(Path.GetDirectoryName(path)!, graph) is not { } files) return null;
        GraphPiece output = graph.Outputs.First(value => value.Name == logits).Piece;

        // A graph that gives the last position only has nothing to choose from.
        if (TensorTypeReader.Read(stream, path, output) is not { Dimensions: [_, { Number: not 1 }, var vocabulary] } type) return null;
        var edit = new GraphEdit(stream, graph);
        edit.Replace(head.Product.Piece, [.. Selection(head.Product.Inputs[0]), .. Product(stream, path, head.Product.Piece)]);
        edit.Replace(output, Value(12, logits, type.ElementType, [new(1, ""), new(0, Input), vocabulary]));

        // What is written of values behind the choice may speak of all positions.
        foreach (GraphValueInfo value in graph.Values.Where(value => head.Values.Contains(value.Name))) edit.Replace(value.Piece, []);
        foreach (GraphInitializer tensor in graph.Initializers)
        {
            if (tensor.Location is { } location && files.Names.TryGetValue(location, out string? name))
                edit.Replace(tensor.Piece, Moved(stream, path, tensor.Piece, name));
        }

        return new SelectingGraph(edit.Write(Added()), files.Folder);
    }

    private static bool NamesExist(GraphOutline graph)
    {
        string[] names = [Input, Flat, Shape, Chosen];
        return graph.Nodes.SelectMany(node => node.Outputs).Concat(graph.Inputs.Select(value => value.Name))
            .Concat(graph.Initializers.Select(value => value.Name)).Any(names.Contains);
    }

    // [batch, time, hidden] → [1, batch · time, hidden] → [1, rows, hidden]
    private static byte[] Selection(string hidden)
    {
        var nodes = new ProtobufBuffer();
        nodes.Message(1, node => Node(node, "Reshape", [hidden, Shape], Flat));
        nodes.Message(1, node =>
        {
            Node(node, "Gather", [Flat, Input], Chosen);
            node.Message(5, axis =>
            {
                axis.Text(1, "axis");
                axis.Integer(3, 1);
                axis.Integer(20, 2); // of type INT
            });
        });
        return [.. nodes.Written];
    }

    private static void Node(ProtobufBuffer node, string operation, IReadOnlyList<string> inputs, string output)
    {
        foreach (string input in inputs) node.Text(1, input);
        node.Text(2, output);
        node.Text(4, operation);
    }

    // NodeProto: input 1; the first of them becomes the rows that were chosen.
    private static byte[] Product(Stream stream, string path, GraphPiece piece)
    {
        bool first = true;
        return GraphEdit.Rewrite(stream, path, piece, (reader, node) =>
        {
            if (reader.Field != 1 || !first) return false;
            first = false;
            reader.Skip();
            node.Text(1, Chosen);
            return true;
        });
    }

    // TensorProto: external_data 13.
    internal static byte[] Moved(Stream stream, string path, GraphPiece piece, string file) =>
        GraphEdit.Rewrite(stream, path, piece, (reader, tensor) =>
        {
            if (reader.Field != 13) return false;
            var (key, value) = ExternalEntry.Read(reader);
            tensor.Message(13, entry =>
            {
                entry.Text(1, key);
                entry.Text(2, key == ExternalEntry.Location ? file : value);
            });
            return true;
        });

    private static byte[] Added()
    {
        var fields = new ProtobufBuffer();
        fields.Message(5, tensor =>
        {
            tensor.Integer(1, 3);
            tensor.Integer(2, (long)TensorElementType.Int64);
            foreach (long size in (long[])[1, -1, 0]) tensor.Integer(7, size); // 0: as it is
            tensor.Text(8, Shape);
        });
        fields.Raw(Value(11, Input, (long)TensorElementType.Int64, [new(0, Input)]));
        return [.. fields.Written];
    }

    // ValueInfoProto: name 1, type 2. TypeProto: tensor_type 1. TypeProto.Tensor: elem_type 1, shape 2. TensorShapeProto: dim 1.
    private static byte[] Value(int field, string name, long elementType, IReadOnlyList<TensorDimension> dimensions)
    {
        var value = new ProtobufBuffer();
        value.Message(field, info =>
        {
            info.Text(1, name);
            info.Message(2, type => type.Message(1, tensor =>
            {
                tensor.Integer(1, elementType);
                tensor.Message(2, shape =>
                {
                    foreach (TensorDimension dimension in dimensions) shape.Message(1, dimension.Write);
                });
            }));
        });
        return [.. value.Written];
    }
}

/// <summary>A model rewritten by <see cref="LogitRowSelection"/>.</summary>
/// <param name="DataFolder">Where its external data lie.</param>
internal sealed record SelectingGraph(byte[] Model, string DataFolder);
