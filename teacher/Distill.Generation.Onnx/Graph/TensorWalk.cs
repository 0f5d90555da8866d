namespace Distill.Generation.Onnx;

/// <summary>Walks one tensor of an ONNX file for references to external data. Field numbers: onnx.proto3.</summary>
internal static class TensorWalk
{
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

    // StringStringEntryProto: key 1, value 2.
    private static void Entry(ProtobufReader reader, string tensor, Dictionary<string, string> entries)
    {
        long end = reader.Enter();
        string key = "", value = "";
        while (reader.Next(end))
        {
            if (reader.Field == 1) key = reader.Text();
            else if (reader.Field == 2) value = reader.Text();
            else reader.Skip();
        }

        if (!entries.TryAdd(key, value)) throw reader.Fault($"gives '{key}' of tensor '{tensor}' twice");
    }
}
