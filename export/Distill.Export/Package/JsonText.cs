using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Distill.Export.Package;

/// <summary>Indented JSON files, one way everywhere.</summary>
internal static class JsonText
{
    private static readonly JsonWriterOptions Indented =
        new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static byte[] Object(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Indented))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>A single number as itself, several as a list: both are read, and the single one everywhere.</summary>
    public static void Numbers(this Utf8JsonWriter json, string name, IReadOnlyList<int> values)
    {
        if (values is [var only])
        {
            json.WriteNumber(name, only);
            return;
        }

        json.WriteStartArray(name);
        foreach (int value in values) json.WriteNumberValue(value);
        json.WriteEndArray();
    }

    public static void Object(this Utf8JsonWriter json, string name, Action write)
    {
        json.WriteStartObject(name);
        write();
        json.WriteEndObject();
    }
}
