using System.Text.Json;

namespace Distill.Architecture;

/// <summary>JSON files from outside: bounded in size and depth, no duplicate keys, an object at the root, errors that name the file.</summary>
internal static class BoundedJson
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 32, AllowDuplicateProperties = false };

    /// <exception cref="InvalidDataException">Missing, too large, or not a JSON object.</exception>
    public static JsonDocument Read(string path, long maxBytes)
    {
        var info = new FileInfo(path);
        if (!info.Exists) throw new InvalidDataException($"'{path}' does not exist.");
        if (info.Length > maxBytes) throw new InvalidDataException($"'{path}' has {info.Length} bytes; at most {maxBytes} are read.");
        return Parse(File.ReadAllBytes(path), path);
    }

    public static JsonDocument Parse(ReadOnlyMemory<byte> utf8, string file)
    {
        try
        {
            var document = JsonDocument.Parse(utf8, Options);
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
            document.Dispose();
            throw new InvalidDataException($"'{file}' is not a JSON object.");
        }
        catch (JsonException broken)
        {
            throw new InvalidDataException($"'{file}' is not valid JSON: {broken.Message}", broken);
        }
    }
}
