using System.Text.Json;

namespace Distill.Data.Publishing;

/// <summary>A row of somebody else's file as a JSON object, read property by property.</summary>
/// <exception cref="FormatException">From every member: the property is missing or of another kind; the message says which.</exception>
internal readonly struct ForeignRow
{
    private readonly JsonElement row;

    /// <param name="name">What holds the object, for the message when it is none.</param>
    public ForeignRow(JsonElement row, string name = "the row")
    {
        if (row.ValueKind != JsonValueKind.Object) throw new FormatException($"{name} is no JSON object but a {row.ValueKind}.");
        this.row = row;
    }

    public IEnumerable<string> Names => row.EnumerateObject().Select(property => property.Name);

    /// <summary>Whether there is such a property with a value.</summary>
    public bool Has(string name) => Find(name) is not null;

    public JsonElement Required(string name) => Find(name) ?? throw new FormatException($"'{name}' is missing.");

    public string Text(string name) => OptionalText(name) ?? throw new FormatException($"'{name}' is missing.");

    /// <summary>A text; a number or a truth value is taken as it is spelled, for answers are often numbers.</summary>
    public string? OptionalText(string name)
    {
        if (Find(name) is not { } value) return null;
        return value.ValueKind switch
        {
            JsonValueKind.String => TextOf(value, name),
            JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
            _ => throw new FormatException($"'{name}' is a {value.ValueKind}, a text is expected."),
        };
    }

    /// <summary>A whole number from 0 up; null where there is none.</summary>
    public int? OptionalNumber(string name)
    {
        if (Find(name) is not { } value) return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number >= 0
            ? number : throw new FormatException($"'{name}' is no whole number from 0 up.");
    }

    /// <summary>A list of texts, in which some may be missing; empty where there is no list.</summary>
    public IReadOnlyList<string?> Texts(string name) => List(name, item => item.ValueKind switch
    {
        JsonValueKind.String => TextOf(item, name),
        JsonValueKind.Null => null,
        _ => throw new FormatException($"'{name}' holds a {item.ValueKind}, a list of texts is expected."),
    });

    /// <summary>A list of truth values, in which some may be missing; empty where there is no list.</summary>
    public IReadOnlyList<bool?> Flags(string name) => List<bool?>(name, item => item.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Null => null,
        _ => throw new FormatException($"'{name}' holds a {item.ValueKind}, a list of true and false is expected."),
    });

    private List<T> List<T>(string name, Func<JsonElement, T> read)
    {
        if (Find(name) is not { } value) return [];
        if (value.ValueKind != JsonValueKind.Array) throw new FormatException($"'{name}' is a {value.ValueKind}, a list is expected.");
        return [.. value.EnumerateArray().Select(read)];
    }

    private JsonElement? Find(string name) =>
        row.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static string TextOf(JsonElement value, string name)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException reason)
        {
            // What JsonElement throws for a string with half a surrogate pair.
            throw new FormatException($"'{name}' is not valid text: {reason.Message}", reason);
        }
    }
}
