using System.Text.Json;
using System.Text.Unicode;
using Distill.Storage;

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
            : throw new InvalidDataException(Printable.Of($"{path}: larger than {LargestFile} bytes."));
    }

    /// <inheritdoc cref="Read{T}(string, int, Func{JsonSection, T})"/>
    public static T Read<T>(ReadOnlyMemory<byte> json, string path, int depth, Func<JsonSection, T> read)
    {
        if (!Utf8.IsValid(json.Span)) throw new InvalidDataException(Printable.Of($"{path}: not valid UTF-8."));
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = depth, AllowDuplicateProperties = false });
            return read(new JsonSection(path, "", document.RootElement));
        }
        catch (JsonException e)
        {
            throw new InvalidDataException(Printable.Of($"{path}: not valid JSON ({e.Message})"), e);
        }
    }
}

/// <summary>One object of a JSON file with its path, so that every fault names file, key, value and range.</summary>
internal readonly struct JsonSection(string file, string path, JsonElement? element)
{
    private const int LongestText = 512;

    public JsonSection Section(string key) => Child(key) is { } child
        ? child.ValueKind == JsonValueKind.Object ? new JsonSection(file, Name(key), child) : throw Fault(key, "must be an object")
        : throw Fault(key, "is missing");

    /// <summary>An absent section reads as an empty one.</summary>
    public JsonSection OptionalSection(string key) => Child(key) is null ? new JsonSection(file, Name(key), null) : Section(key);

    public bool Has(string key) => Child(key) is not null;

    /// <summary>Those of an absent section are none.</summary>
    public IEnumerable<string> Keys =>
        element is { ValueKind: JsonValueKind.Object } present ? present.EnumerateObject().Select(property => property.Name) : [];

    public bool Flag(string key) => Child(key) is { } child && (child.ValueKind is JsonValueKind.True or JsonValueKind.False
        ? child.ValueKind == JsonValueKind.True
        : throw Fault(key, $"must be true or false, not {Shown(child)}"));

    public string Text(string key, string? otherwise = null)
    {
        if (Child(key) is not { } child) return otherwise ?? throw Fault(key, "is missing");
        if (child.ValueKind != JsonValueKind.String) throw Fault(key, $"must be a text, not {Shown(child)}");
        string text = Content(key, child);
        return text.Length is > 0 and <= LongestText ? text : throw Fault(key, $"must have 1..{LongestText} characters, not {text.Length}");
    }

    public int Integer(string key, int least, int most) => OptionalInteger(key, least, most) ?? throw Fault(key, "is missing");

    public int? OptionalInteger(string key, int least, int most) => Child(key) is { } child ? InRange(key, child, least, most) : null;

    /// <summary>A number or an array of numbers, non-empty unless said otherwise.</summary>
    public IReadOnlyList<int> Integers(string key, int least, int most, bool orEmpty = false)
    {
        if (Child(key) is not { } child) throw Fault(key, "is missing");
        if (child.ValueKind != JsonValueKind.Array) return [InRange(key, child, least, most)];
        if (child.GetArrayLength() > 1024 || (!orEmpty && child.GetArrayLength() == 0))
            throw Fault(key, $"must have {(orEmpty ? 0 : 1)}..1024 entries");
        JsonSection self = this;
        return [.. child.EnumerateArray().Select(item => self.InRange(key, item, least, most))];
    }

    public InvalidDataException Fault(string key, string reason) => new(Printable.Of($"{file}: {Name(key)} {reason}."));

    private int InRange(string key, JsonElement value, int least, int most) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number >= least && number <= most
            ? number
            : throw Fault(key, $"must be a whole number in {least}..{most}, not {Shown(value)}");

    private string Content(string key, JsonElement child)
    {
        try
        {
            return child.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Fault(key, "must be sound Unicode"); // an escaped half of a surrogate pair
        }
    }

    private JsonElement? Child(string key)
    {
        if (element is not { } present) return null;
        if (present.ValueKind != JsonValueKind.Object)
            throw new InvalidDataException(Printable.Of($"{file}: must hold a JSON object, not {Shown(present)}."));
        return present.TryGetProperty(key, out JsonElement child) && child.ValueKind != JsonValueKind.Null ? child : null;
    }

    private string Name(string key) => path.Length == 0 ? key : $"{path}.{key}";

    private static string Shown(JsonElement value)
    {
        string text = value.GetRawText();
        return text.Length <= 40 ? text : text[..40] + "…";
    }
}
