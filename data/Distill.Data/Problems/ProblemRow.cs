using System.Text.Json;

namespace Distill.Data.Problems;

/// <summary>One JSON object of a problem file, read property by property.</summary>
/// <exception cref="FormatException">From every member: the property is missing or of another kind; the message says which.</exception>
internal readonly struct ProblemRow
{
    private readonly JsonElement row;

    public ProblemRow(JsonElement row)
    {
        if (row.ValueKind != JsonValueKind.Object)
            throw new FormatException($"a JSON object is expected, found {row.ValueKind}.");
        this.row = row;
    }

    public string Text(string name) => OptionalText(name) ?? throw new FormatException($"'{name}' is missing.");

    public string? OptionalText(string name)
    {
        if (!row.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
            return null;
        if (value.ValueKind != JsonValueKind.String)
            throw new FormatException($"'{name}' is a {value.ValueKind}, a string is expected.");
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException reason)
        {
            // What JsonElement throws for a string with half a surrogate pair.
            throw new FormatException($"'{name}' is not valid text: {reason.Message}", reason);
        }
    }

    public Split Split(string name)
    {
        var word = Text(name);
        return SplitRule.TryParse(word, out var split)
            ? split
            : throw new FormatException($"'{name}' is '{word}'; it must be train, validation or test.");
    }

    public int Positive(string name) =>
        row.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number > 0
            ? number
            : throw new FormatException($"'{name}' is missing or not a whole number above 0.");
}
