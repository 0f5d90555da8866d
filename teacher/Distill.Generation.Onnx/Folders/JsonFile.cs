using System.Text.Json;
using System.Text.Unicode;
using Distill.Data.Storage;

namespace Distill.Generation.Onnx;

/// <summary>Reads a small JSON file from a folder that nobody vouches for: bounded size and depth, sound text, no duplicate keys.</summary>
internal static class JsonFile
{
    private const int LargestFile = 1 << 20;

    /// <param name="path">Full path.</param>
    /// <param name="depth">Deepest nesting accepted.</param>
    /// <param name="read">Gets the root; must not keep it.</param>
    /// <exception cref="InvalidDataException">Names the file and the reason.</exception>
    public static T Read<T>(string path, int depth, Func<JsonSection, T> read)
    {
        long length = ContainedPath.LengthOf(path);
        return length <= LargestFile
            ? Read(File.ReadAllBytes(path), path, depth, read)
            : throw new InvalidDataException($"{path}: larger than {LargestFile} bytes.");
    }

    /// <inheritdoc cref="Read{T}(string, int, Func{JsonSection, T})"/>
    public static T Read<T>(ReadOnlyMemory<byte> json, string path, int depth, Func<JsonSection, T> read)
    {
        if (!Utf8.IsValid(json.Span)) throw new InvalidDataException($"{path}: not valid UTF-8.");
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = depth, AllowDuplicateProperties = false });
            return read(new JsonSection(path, "", document.RootElement));
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path}: not valid JSON ({e.Message})", e);
        }
    }
}
