using System.Globalization;
using System.Text.Json;
using Distill.Data.Sources.Files;
using Distill.Storage;

namespace Distill.Data.Sources.Formats;

/// <summary>The named values of one row, found by column or by a path into nested ones (<c>a.b</c>, <c>choices.0</c>).</summary>
/// <param name="row">An object; valid as long as it is.</param>
/// <exception cref="FormatException">From every member: a value is of another kind than asked for; the message says which.</exception>
internal readonly struct RowValues(JsonElement row)
{
    /// <summary>Names of the columns in their order.</summary>
    public IEnumerable<string> Columns => row.EnumerateObject().Select(property => property.Name);

    public JsonElement Row => row;

    /// <returns>Null where there is no such value, or it is null.</returns>
    public JsonElement? Find(string path) => Find(row, path) is { ValueKind: not JsonValueKind.Null } found ? found : null;

    /// <returns>Null where there is no such value, or it is null; a number or a flag as it is written.</returns>
    public string? Text(string path) => Find(path) is { } value ? TextOf(value, path) : null;

    /// <summary>The first path of several at which something stands.</summary>
    public string? FirstText(params ReadOnlySpan<string> paths)
    {
        foreach (string path in paths)
        {
            if (Text(path) is { Length: > 0 } text) return text;
        }

        return null;
    }

    /// <summary>A list of single values; a text that is a JSON list is read as one, since CSV has no other.</summary>
    /// <returns>Null where there is no such value.</returns>
    public IReadOnlyList<string>? Texts(string path)
    {
        if (Find(path) is not { } value) return null;
        if (value.ValueKind == JsonValueKind.String && TextOf(value, path).Trim() is ['[', ..] list) return Parsed(list, path);
        if (value.ValueKind != JsonValueKind.Array)
            throw new FormatException($"{Printable.Quote(path)} is {JsonRowText.Kind(value.ValueKind)}, not a list");
        return [.. value.EnumerateArray().Select(item => TextOf(item, path))];
    }

    public static string TextOf(JsonElement value, string path)
    {
        try
        {
            return value.ValueKind switch
            {
                JsonValueKind.String => value.GetString()!,
                JsonValueKind.Number => value.GetRawText(),
                JsonValueKind.True => "true",
                JsonValueKind.False => "false",
                var kind => throw new FormatException(
                    $"{Printable.Quote(path)} is {JsonRowText.Kind(kind)}, not text; name what stands in it, e.g. "
                    + $"{Printable.Of(path)}.{(kind == JsonValueKind.Array ? "0" : "name")}"),
            };
        }
        catch (InvalidOperationException reason)
        {
            // What JsonElement throws for a string with half a surrogate pair, or bytes that are not UTF-8.
            throw new FormatException($"{Printable.Quote(path)} is not valid text", reason);
        }
    }

    private static IReadOnlyList<string> Parsed(string list, string path)
    {
        try
        {
            using var document = JsonDocument.Parse(list, RowLimits.Json);
            return [.. document.RootElement.EnumerateArray().Select(item => TextOf(item, path))];
        }
        catch (JsonException reason)
        {
            throw new FormatException($"{Printable.Quote(path)} begins like a JSON list and is none", reason);
        }
    }

    // A column whose own name has a point goes before what the point leads into.
    private static JsonElement? Find(JsonElement value, string path)
    {
        if (value.ValueKind == JsonValueKind.Object && value.TryGetProperty(path, out var whole)) return whole;
        if (value.ValueKind == JsonValueKind.Array)
        {
            string first = path.Split('.')[0];
            if (!int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out int index) || index >= value.GetArrayLength())
                return null;
            return first.Length == path.Length ? value[index] : Find(value[index], path[(first.Length + 1)..]);
        }

        if (value.ValueKind != JsonValueKind.Object) return null;
        for (int point = path.IndexOf('.', StringComparison.Ordinal); point > 0; point = path.IndexOf('.', point + 1))
        {
            if (value.TryGetProperty(path[..point], out var inner) && Find(inner, path[(point + 1)..]) is { } found) return found;
        }

        return null;
    }
}
