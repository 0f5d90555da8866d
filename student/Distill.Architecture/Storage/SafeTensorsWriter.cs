using System.Buffers;
using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Distill.Architecture;

/// <summary>Writes safetensors files: tensors in the order given, streamed one at a time; the same input gives the same bytes.</summary>
internal static class SafeTensorsWriter
{
    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Creates or replaces a file and flushes it to disk.</summary>
    public static void Write(string path, IEnumerable<SafeTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);
        Write(stream, tensors, metadata);
        stream.Flush(flushToDisk: true);
    }

    /// <param name="metadata">Written sorted by key. transformers expects <c>format</c> = <c>pt</c>.</param>
    /// <exception cref="InvalidOperationException">A tensor wrote a number of bytes that is not its size.</exception>
    public static void Write(Stream stream, IEnumerable<SafeTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var list = tensors.ToList();
        var header = Header(list, metadata);
        Span<byte> prefix = stackalloc byte[8];
        int padding = -header.WrittenCount & 7; // data starts 8-aligned, so that it can be mapped
        BinaryPrimitives.WriteUInt64LittleEndian(prefix, (ulong)(header.WrittenCount + padding));
        stream.Write(prefix);
        stream.Write(header.WrittenSpan);
        for (int i = 0; i < padding; i++) stream.WriteByte((byte)' ');
        foreach (var tensor in list) WriteData(stream, tensor);
    }

    private static void WriteData(Stream stream, SafeTensor tensor)
    {
        long before = stream.Position;
        tensor.WriteData(stream);
        if (stream.Position - before != tensor.ByteCount)
            throw new InvalidOperationException(
                $"Tensor '{tensor.Name}' wrote {stream.Position - before} bytes; its shape needs {tensor.ByteCount}.");
    }

    private static ArrayBufferWriter<byte> Header(List<SafeTensor> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer, Json);
        json.WriteStartObject();
        if (metadata is { Count: > 0 })
        {
            json.WriteStartObject("__metadata__");
            foreach (var (key, value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal)) json.WriteString(key, value);
            json.WriteEndObject();
        }

        long offset = 0;
        foreach (var tensor in tensors)
        {
            WriteEntry(json, tensor, offset);
            offset += tensor.ByteCount;
        }

        json.WriteEndObject();
        json.Flush();
        return buffer;
    }

    private static void WriteEntry(Utf8JsonWriter json, SafeTensor tensor, long offset)
    {
        json.WriteStartObject(tensor.Name);
        json.WriteString("dtype", tensor.Type.HeaderName());
        json.WriteStartArray("shape");
        foreach (long size in tensor.Shape) json.WriteNumberValue(size);
        json.WriteEndArray();
        json.WriteStartArray("data_offsets");
        json.WriteNumberValue(offset);
        json.WriteNumberValue(offset + tensor.ByteCount);
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
