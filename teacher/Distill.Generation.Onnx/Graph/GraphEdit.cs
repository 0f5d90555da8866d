namespace Distill.Generation.Onnx;

/// <summary>Writes a model anew with some fields of its graph replaced and others added; what stays is copied byte by byte.</summary>
internal sealed class GraphEdit(Stream stream, GraphOutline graph)
{
    private readonly Dictionary<GraphPiece, byte[]> replaced = [];

    /// <param name="piece">A field of the graph.</param>
    /// <param name="fields">What comes in its place; nothing where it goes.</param>
    public void Replace(GraphPiece piece, byte[] fields) => replaced[piece] = fields;

    /// <param name="added">Fields at the graph's end.</param>
    public byte[] Write(byte[] added)
    {
        long length = added.Length
            + graph.Fields.Sum(field => replaced.TryGetValue(field, out byte[]? bytes) ? bytes.Length : field.Length);
        var prefix = new ProtobufBuffer();
        prefix.Prefix(graph.Graph.Field, length);
        byte[] target = new byte[graph.Model.Sum(piece => piece == graph.Graph ? 0 : piece.Length) + prefix.Length + length];
        int at = 0;
        foreach (GraphPiece piece in graph.Model)
        {
            if (piece != graph.Graph)
            {
                Copy(piece, target, ref at);
                continue;
            }

            Append(prefix.Written, target, ref at);
            foreach (GraphPiece field in graph.Fields)
            {
                if (replaced.TryGetValue(field, out byte[]? bytes)) Append(bytes, target, ref at);
                else Copy(field, target, ref at);
            }

            Append(added, target, ref at);
        }

        return target;
    }

    /// <summary>A message with some of its fields changed.</summary>
    /// <param name="name">Of the file, for messages.</param>
    /// <param name="change">Reads the field at hand and writes another; false, and nothing read, for one that stays.</param>
    public static byte[] Rewrite(Stream stream, string name, GraphPiece message, Func<ProtobufReader, ProtobufBuffer, bool> change)
    {
        stream.Position = message.Start;
        var reader = new ProtobufReader(stream, name);
        reader.Next(message.End);
        long end = reader.Enter();
        var content = new ProtobufBuffer();
        while (reader.Next(end))
        {
            long start = reader.Start;
            if (change(reader, content)) continue;
            reader.Skip();
            byte[] bytes = new byte[reader.Position - start];
            stream.Position = start;
            stream.ReadExactly(bytes);
            content.Raw(bytes);
        }

        var field = new ProtobufBuffer();
        field.Bytes(message.Field, content.Written);
        return [.. field.Written];
    }

    private void Copy(GraphPiece piece, byte[] target, ref int at)
    {
        stream.Position = piece.Start;
        stream.ReadExactly(target, at, (int)piece.Length);
        at += (int)piece.Length;
    }

    private static void Append(ReadOnlySpan<byte> bytes, byte[] target, ref int at)
    {
        bytes.CopyTo(target.AsSpan(at));
        at += bytes.Length;
    }
}
