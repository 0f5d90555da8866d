using System.Globalization;
using Distill.Storage;

namespace Distill.Generation.Onnx;

/// <summary>A constant of an ONNX graph with its bytes, wherever they lie.</summary>
/// <param name="ElementType">Number of the enumeration of onnx.proto3.</param>
/// <param name="Bytes">As the file has them: little endian, row by row.</param>
/// <param name="File">Full path of the file that has them.</param>
/// <param name="Offset">Where in that file they begin.</param>
internal sealed record StoredTensor(long ElementType, IReadOnlyList<long> Shape, byte[] Bytes, string File, long Offset)
{
    /// <summary>Reads one constant.</summary>
    /// <param name="stream">Of the ONNX file.</param>
    /// <param name="path">Of the file; external data are looked for beside it.</param>
    /// <param name="files">Where external data lie.</param>
    /// <returns>Null where the values are written as numbers of the message, as small constants may be.</returns>
    /// <exception cref="InvalidDataException">The file is broken, or external data are not there or leave the folder.</exception>
    public static StoredTensor? Read(Stream stream, string path, GraphPiece piece, ExternalFiles files)
    {
        stream.Position = piece.Start;
        var reader = new ProtobufReader(stream, path);
        reader.Next(piece.End);
        long end = reader.Enter(), type = 0;
        var shape = new List<long>();
        StoredTensor? found = null;
        var external = new Dictionary<string, string>(StringComparer.Ordinal);

        // TensorProto: dims 1, data_type 2, raw_data 9, external_data 13.
        while (reader.Next(end))
        {
            switch (reader.Field)
            {
                case 1: reader.Numbers(shape.Add); break;
                case 2: type = reader.Number(); break;
                case 9:
                    found = Part(stream, path, reader.Enter() - stream.Position);
                    break;
                case 13:
                    var (key, value) = ExternalEntry.Read(reader);
                    external[key] = value;
                    break;
                default: reader.Skip(); break;
            }
        }

        found ??= external.Count > 0 ? External(path, external, files) : null;
        return found is null ? null : found with { ElementType = type, Shape = shape };
    }

    /// <summary>The element type alone: a number of the enumeration of onnx.proto3; 0 where the file names none.</summary>
    /// <inheritdoc cref="Read" path="/exception"/>
    public static int TypeOf(Stream stream, string path, GraphPiece piece)
    {
        stream.Position = piece.Start;
        var reader = new ProtobufReader(stream, path);
        reader.Next(piece.End);
        long end = reader.Enter();
        int type = 0;
        while (reader.Next(end))
        {
            if (reader.Field == 2) type = reader.Number();
            else reader.Skip();
        }

        return type;
    }

    private static StoredTensor Part(Stream stream, string file, long length)
    {
        long offset = stream.Position;
        byte[] bytes = new byte[checked((int)length)];
        stream.ReadExactly(bytes);
        return new StoredTensor(0, [], bytes, file, offset);
    }

    private static StoredTensor External(string path, Dictionary<string, string> entries, ExternalFiles files)
    {
        string location = entries.GetValueOrDefault(ExternalEntry.Location, "");
        string saidBy = Printable.Of($"{path}: external data");
        string file = ContainedPath.Resolve(files.Folder, files.Names.GetValueOrDefault(location, location), saidBy);
        using var data = System.IO.File.OpenRead(file);
        long offset = Number("offset") ?? 0, length = Number("length") ?? data.Length - offset;
        if (offset > data.Length || length > data.Length - offset)
            throw new InvalidDataException($"{saidBy}: {length} bytes at {offset} reach beyond {file} ({data.Length} bytes).");
        data.Position = offset;
        return Part(data, file, length);

        long? Number(string key) => entries.TryGetValue(key, out string? text)
            ? long.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture) : null;
    }
}

/// <summary>Whole numbers among a node's attributes.</summary>
internal static class NodeNumbers
{
    /// <returns>By name; NodeProto: attribute 5. AttributeProto: name 1, i 3.</returns>
    /// <exception cref="InvalidDataException">The file is broken.</exception>
    public static IReadOnlyDictionary<string, int> Read(Stream stream, string path, GraphPiece piece)
    {
        stream.Position = piece.Start;
        var reader = new ProtobufReader(stream, path);
        reader.Next(piece.End);
        long end = reader.Enter();
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        while (reader.Next(end))
        {
            if (reader.Field == 5) Attribute(reader, numbers);
            else reader.Skip();
        }

        return numbers;
    }

    private static void Attribute(ProtobufReader reader, Dictionary<string, int> numbers)
    {
        long end = reader.Enter();
        string name = "";
        int? value = null;
        while (reader.Next(end))
        {
            if (reader.Field == 1) name = reader.Text();
            else if (reader.Field == 3) value = reader.Number();
            else reader.Skip();
        }

        if (value is { } number) numbers[name] = number;
    }
}
