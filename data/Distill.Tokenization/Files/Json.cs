using System.Text.Json;

namespace Distill.Tokenization.Files;

/// <summary>Strict reading of JSON: no duplicate names, bounded depth, and errors that name the place.</summary>
internal static class Json
{
    private static readonly JsonDocumentOptions s_options = new() { AllowDuplicateProperties = false, MaxDepth = TokenizerLimits.Depth };

    /// <exception cref="InvalidDataException">The text is not JSON, is too deep, or names something twice.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> utf8)
    {
        try
        {
            return JsonDocument.Parse(utf8, s_options);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"not valid JSON: {e.Message}", e);
        }
    }

    public static JsonElement? Optional(this JsonElement parent, string name)
    {
        if (parent.ValueKind != JsonValueKind.Object) throw new InvalidDataException($"expected an object holding '{name}', found {parent.ValueKind}");
        return parent.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    public static JsonElement Required(this JsonElement parent, string name) =>
        parent.Optional(name) ?? throw new InvalidDataException($"'{name}' is missing");

    public static string Text(this JsonElement value, string name)
    {
        if (value.ValueKind != JsonValueKind.String) throw new InvalidDataException($"'{name}' must be a string, not {value.ValueKind}");
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new InvalidDataException($"'{name}' is not valid Unicode", e);
        }
    }

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

    /// <summary>The name of a member; a lone surrogate in it is an error here and not somewhere later.</summary>
    public static string NameOf(this JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException e)
        {
            throw new InvalidDataException("a name is not valid Unicode", e);
        }
    }
}
