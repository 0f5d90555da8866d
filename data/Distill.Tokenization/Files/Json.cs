using System.Text.Json;
using System.Text.Unicode;

namespace Distill.Tokenization.Files;

/// <summary>Reads small files of a model folder whole.</summary>
internal static class BoundedFile
{
    /// <summary>Reads and interprets a file.</summary>
    /// <exception cref="InvalidDataException">Absent, too large, or <paramref name="read"/> refused it; names the file.</exception>
    public static T Read<T>(string folder, string name, Func<ReadOnlyMemory<byte>, T> read)
    {
        string path = Path.Combine(folder, name);
        var file = new FileInfo(path);
        if (!file.Exists) throw new InvalidDataException($"{path}: not found");
        if (file.Length > TokenizerLimits.FileBytes)
            throw new InvalidDataException($"{path}: {file.Length} bytes; at most {TokenizerLimits.FileBytes} are read");
        try
        {
            return read(File.ReadAllBytes(path));
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
    }
}

/// <summary>Strict reading of JSON: no duplicate names, bounded depth, and errors that name the place.</summary>
internal static class Json
{
    private static readonly JsonDocumentOptions s_options = new() { AllowDuplicateProperties = false, MaxDepth = TokenizerLimits.Depth };

    /// <exception cref="InvalidDataException">The text is not JSON, is too deep, names something twice, or holds what is not
    /// Unicode.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> utf8)
    {
        if (!Utf8.IsValid(utf8.Span)) throw new InvalidDataException("not valid UTF-8");
        try
        {
            RefuseLoneSurrogates(utf8.Span);
            return JsonDocument.Parse(utf8, s_options);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"not valid JSON: {e.Message}", e);
        }
    }

    /// <summary>
    /// Escapes can spell half a character; the reader would complain only where the text is used, and not with a format error.
    /// </summary>
    private static void RefuseLoneSurrogates(ReadOnlySpan<byte> utf8)
    {
        if (utf8.IndexOf("\\ud"u8) < 0 && utf8.IndexOf("\\uD"u8) < 0) return;
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = TokenizerLimits.Depth });
        while (reader.Read())
        {
            if (!reader.ValueIsEscaped) continue;
            try
            {
                reader.GetString();
            }
            catch (InvalidOperationException e)
            {
                throw new InvalidDataException($"the text at byte {reader.TokenStartIndex} is not valid Unicode", e);
            }
        }
    }

    public static JsonElement? Optional(this JsonElement parent, string name)
    {
        if (parent.ValueKind != JsonValueKind.Object)
            throw new InvalidDataException($"expected an object holding '{name}', found {parent.ValueKind}");
        return parent.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    public static JsonElement Required(this JsonElement parent, string name) =>
        parent.Optional(name) ?? throw new InvalidDataException($"'{name}' is missing");

    public static string Text(this JsonElement value, string name) => value.ValueKind == JsonValueKind.String
        ? value.GetString()!
        : throw new InvalidDataException($"'{name}' must be a string, not {value.ValueKind}");

    public static string? OptionalText(this JsonElement parent, string name) => parent.Optional(name)?.Text(name);

    public static bool Flag(this JsonElement parent, string name, bool otherwise) => parent.Optional(name) is not { } value
        ? otherwise
        : value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw new InvalidDataException($"'{name}' must be true or false, not {value.ValueKind}"),
        };

    public static int Integer(this JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number)
            ? number
            : throw new InvalidDataException($"'{name}' must be a whole number");

    public static JsonElement.ArrayEnumerator Items(this JsonElement value, string name) => value.ValueKind == JsonValueKind.Array
        ? value.EnumerateArray()
        : throw new InvalidDataException($"'{name}' must be a list, not {value.ValueKind}");

    public static JsonElement.ObjectEnumerator Members(this JsonElement value, string name) => value.ValueKind == JsonValueKind.Object
        ? value.EnumerateObject()
        : throw new InvalidDataException($"'{name}' must be an object, not {value.ValueKind}");
}
