using System.Text.Json;
using Distill.Storage;

namespace Distill.Architecture;

/// <summary>
/// Files of a model folder. A link is followed within the folder's own Hugging Face cache, where every file of a snapshot is one, and
/// nowhere else.
/// </summary>
internal static class FolderFile
{
    /// <returns>Where the file is; null when the folder has none of this name.</returns>
    /// <exception cref="InvalidDataException">It is a link that leaves the folder and its cache.</exception>
    public static string? Find(string folder, string name) =>
        File.Exists(Path.Combine(folder, name)) ? ContainedPath.Resolve(Path.GetFullPath(folder), name, folder) : null;

    /// <exception cref="InvalidDataException">Missing or too large.</exception>
    public static byte[] Read(string path, long maxBytes)
    {
        if (!File.Exists(path)) throw new InvalidDataException($"'{path}' does not exist.");
        // its length is that of what a link leads to
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1);
        if (stream.Length > maxBytes) throw new InvalidDataException($"'{path}' has {stream.Length} bytes; at most {maxBytes} are read.");
        byte[] content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }
}

/// <summary>
/// JSON files from outside: bounded in size and depth, no duplicate keys, an object at the root, errors that name the file.
/// </summary>
internal static class BoundedJson
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 32, AllowDuplicateProperties = false };

    /// <exception cref="InvalidDataException">Missing, too large, or not a JSON object.</exception>
    public static JsonDocument Read(string path, long maxBytes) => Parse(FolderFile.Read(path, maxBytes), path);

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

/// <summary>Small files that are on disk when the call returns.</summary>
internal static class DurableFile
{
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None);
        stream.Write(content);
        stream.Flush(flushToDisk: true);
    }
}
