namespace Distill.Generation.Onnx;

/// <summary>
/// Walks an ONNX file for references to external data and checks each before ONNX Runtime follows it: inside the folder, no
/// link, offset and length inside the file. Field numbers: onnx.proto3.
/// </summary>
internal static class ExternalDataCheck
{
    private const int DeepestGraph = 32;

    /// <exception cref="InvalidDataException">The file is no ONNX model, or refers to data that it must not or cannot have.</exception>
    public static void Check(string graphPath)
    {
        using var stream = new FileStream(graphPath, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        Walk(new ProtobufReader(stream, graphPath), Path.GetDirectoryName(graphPath));
    }

    /// <summary>A model given as bytes has no folder: it must not refer to external data at all.</summary>
    public static void Check(byte[] model)
    {
        using var stream = new MemoryStream(model, writable: false);
        Walk(new ProtobufReader(stream, "model bytes"), null);
    }

    private static void Walk(ProtobufReader reader, string? folder)
    {
        // ModelProto: graph 7, functions 25. FunctionProto: node 7.
        bool graph = false;
        while (reader.Next(reader.Length))
        {
            if (reader.Field == 7)
            {
                graph = true;
                WalkGraph(reader, reader.Enter(), folder, 0);
            }
            else if (reader.Field == 25)
            {
                long end = reader.Enter();
                while (reader.Next(end))
                {
                    if (reader.Field == 7) WalkNode(reader, reader.Enter(), folder, 0);
                    else reader.Skip();
                }
            }
            else reader.Skip();
        }

        if (!graph) throw reader.Fault("has no graph");
    }

    // GraphProto: node 1, initializer 5, sparse_initializer 15.
    private static void WalkGraph(ProtobufReader reader, long end, string? folder, int depth)
    {
        if (depth > DeepestGraph) throw reader.Fault($"nests graphs deeper than {DeepestGraph}");
        while (reader.Next(end))
        {
            switch (reader.Field)
            {
                case 1: WalkNode(reader, reader.Enter(), folder, depth); break;
                case 5: WalkTensor(reader, reader.Enter(), folder); break;
                case 15: throw reader.Fault("has sparse initializers, which this reader does not know");
                default: reader.Skip(); break;
            }
        }
    }

    // NodeProto: attribute 5. AttributeProto: t 5, g 6, tensors 10, graphs 11.
    private static void WalkNode(ProtobufReader reader, long end, string? folder, int depth)
    {
        while (reader.Next(end))
        {
            if (reader.Field != 5)
            {
                reader.Skip();
                continue;
            }

            long attributeEnd = reader.Enter();
            while (reader.Next(attributeEnd))
            {
                switch (reader.Field)
                {
                    case 5 or 10: WalkTensor(reader, reader.Enter(), folder); break;
                    case 6 or 11: WalkGraph(reader, reader.Enter(), folder, depth + 1); break;
                    default: reader.Skip(); break;
                }
            }
        }
    }

    // TensorProto: name 8, external_data 13 (StringStringEntryProto: key 1, value 2), data_location 14.
    private static void WalkTensor(ProtobufReader reader, long end, string? folder)
    {
        string name = "?";
        var entries = new Dictionary<string, string>();
        while (reader.Next(end))
        {
            if (reader.Field == 8) name = reader.Text();
            else if (reader.Field == 13)
            {
                string key = "", value = "";
                long entryEnd = reader.Enter();
                while (reader.Next(entryEnd))
                {
                    if (reader.Field == 1) key = reader.Text();
                    else if (reader.Field == 2) value = reader.Text();
                    else reader.Skip();
                }

                if (!entries.TryAdd(key, value)) throw reader.Fault($"gives '{key}' of tensor '{name}' twice");
            }
            else reader.Skip();
        }

        if (entries.Count > 0) CheckEntries(reader, name, entries, folder);
    }

    private static void CheckEntries(ProtobufReader reader, string tensor, Dictionary<string, string> entries, string? folder)
    {
        string saidBy = $"{reader.Name}: external data of '{tensor}'";
        if (folder is null) throw new InvalidDataException($"{saidBy}: a model given as bytes must hold its weights itself.");
        string file = FolderPaths.Resolve(folder, entries.GetValueOrDefault("location", ""), saidBy);
        if (Path.GetFullPath(file) == Path.GetFullPath(reader.Name)) throw new InvalidDataException($"{saidBy}: points at the ONNX file itself.");
        long size = new FileInfo(file).Length;
        long Number(string key, long otherwise) => !entries.TryGetValue(key, out string? text) ? otherwise
            : long.TryParse(text, System.Globalization.NumberStyles.None, null, out long number) ? number
            : throw new InvalidDataException($"{saidBy}: {key} '{text}' is not a whole number.");
        long offset = Number("offset", 0);
        if (offset > size) throw new InvalidDataException($"{saidBy}: offset {offset} lies beyond {file} ({size} bytes).");
        long length = Number("length", size - offset);
        if (length > size - offset) throw new InvalidDataException($"{saidBy}: {length} bytes at {offset} reach beyond {file} ({size} bytes).");
    }
}
