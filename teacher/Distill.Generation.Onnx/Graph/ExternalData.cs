using System.Globalization;
using Distill.Storage;

namespace Distill.Generation.Onnx;

/// <summary>Walks one tensor of an ONNX file for references to external data. Field numbers: onnx.proto3.</summary>
internal static class TensorWalk
{
    private const int MostEntries = 100; // onnx.proto3 knows four

    /// <param name="reader">At a field that holds a TensorProto: name 8, external_data 13.</param>
    /// <param name="folder">Where external data lie; null when there must be none.</param>
    /// <exception cref="InvalidDataException">The tensor refers to data that it must not or cannot have.</exception>
    public static void Check(ProtobufReader reader, string? folder)
    {
        long end = reader.Enter();
        string name = "?";
        Dictionary<string, string>? entries = null;
        while (reader.Next(end))
        {
            if (reader.Field == 8) name = reader.Text();
            else if (reader.Field == 13) Entry(reader, name, entries ??= new(StringComparer.Ordinal));
            else reader.Skip();
        }

        if (entries is not null) ExternalDataCheck.Check(reader.Name, name, entries, folder);
    }

    private static void Entry(ProtobufReader reader, string tensor, Dictionary<string, string> entries)
    {
        var (key, value) = ExternalEntry.Read(reader);
        if (entries.Count == MostEntries) throw reader.Fault($"says more than {MostEntries} things of where tensor '{tensor}' lies");
        if (!entries.TryAdd(key, value)) throw reader.Fault($"gives '{key}' of tensor '{tensor}' twice");
    }
}

/// <summary>One of the pairs that say where external data lie.</summary>
internal readonly record struct ExternalEntry(string Key, string Value)
{
    public const string Location = "location";

    // StringStringEntryProto: key 1, value 2.
    public static ExternalEntry Read(ProtobufReader reader)
    {
        long end = reader.Enter();
        string key = "", value = "";
        while (reader.Next(end))
        {
            if (reader.Field == 1) key = reader.Text();
            else if (reader.Field == 2) value = reader.Text();
            else reader.Skip();
        }

        return new ExternalEntry(key, value);
    }
}

/// <summary>
/// Checks one reference to external data before ONNX Runtime follows it: inside the folder, no link, offset and length inside the file.
/// </summary>
internal static class ExternalDataCheck
{
    /// <param name="graph">Full path of the ONNX file, or a description of it.</param>
    /// <param name="tensor">For messages.</param>
    /// <param name="entries">Of TensorProto.external_data: location, offset, length, checksum.</param>
    /// <param name="folder">Of the ONNX file; null for a model given as bytes, which must hold its weights itself.</param>
    /// <exception cref="InvalidDataException">The reference must not or cannot be followed.</exception>
    public static void Check(string graph, string tensor, Dictionary<string, string> entries, string? folder)
    {
        string saidBy = Printable.Of($"{graph}: external data of {Printable.Quote(tensor)}");
        if (folder is null) throw new InvalidDataException($"{saidBy}: a model given as bytes must hold its weights itself.");
        string file = ContainedPath.Resolve(folder, entries.GetValueOrDefault(ExternalEntry.Location, ""), saidBy);
        if (Path.GetFullPath(file) == Path.GetFullPath(graph)) throw new InvalidDataException($"{saidBy}: points at the ONNX file itself.");
        long size = ContainedPath.LengthOf(file);
        long offset = Number(entries, "offset", saidBy) ?? 0;
        if (offset > size) throw new InvalidDataException($"{saidBy}: offset {offset} lies beyond {file} ({size} bytes).");
        long length = Number(entries, "length", saidBy) ?? size - offset;
        if (length > size - offset)
            throw new InvalidDataException($"{saidBy}: {length} bytes at {offset} reach beyond {file} ({size} bytes).");
    }

    private static long? Number(Dictionary<string, string> entries, string key, string saidBy) =>
        !entries.TryGetValue(key, out string? text) ? null
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number
        : throw new InvalidDataException($"{saidBy}: {key} {Printable.Quote(text)} is not a whole number.");
}
