using System.Text.Json;

namespace Distill.Architecture;

/// <summary>Typed look-ups in a configuration object. Every problem is collected, so that a user sees them all at once.</summary>
internal sealed class ConfigFields(JsonElement root)
{
    public List<string> Problems { get; } = [];

    public int RequiredInt(string key) => OptionalInt(key) ?? Missing(key);

    /// <summary>Null when absent or null.</summary>
    public int? OptionalInt(string key)
    {
        if (!Find(key, out var value)) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number)) return number;
        return Wrong<int?>(key, value, "a whole number");
    }

    public double? OptionalDouble(string key)
    {
        if (!Find(key, out var value)) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && double.IsFinite(number)) return number;
        return Wrong<double?>(key, value, "a number");
    }

    public double RequiredDouble(string key) => Has(key) ? OptionalDouble(key) ?? 0 : Missing(key);

    public bool? OptionalBool(string key)
    {
        if (!Find(key, out var value)) return null;
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False) return value.GetBoolean();
        return Wrong<bool?>(key, value, "true or false");
    }

    public string? OptionalString(string key)
    {
        if (!Find(key, out var value)) return null;
        return value.ValueKind == JsonValueKind.String ? value.GetString() : Wrong<string?>(key, value, "a string");
    }

    public ConfigFields? OptionalObject(string key)
    {
        if (!Find(key, out var value)) return null;
        return value.ValueKind == JsonValueKind.Object ? new ConfigFields(value) : Wrong<ConfigFields?>(key, value, "an object");
    }

    public IReadOnlyList<JsonElement>? OptionalArray(string key)
    {
        if (!Find(key, out var value)) return null;
        return value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()]
            : Wrong<IReadOnlyList<JsonElement>?>(key, value, "an array");
    }

    /// <summary>A token id, or the first of several (a configuration may list more than one end token).</summary>
    public int? OptionalTokenId(string key)
    {
        if (!Find(key, out var value)) return null;
        var first = value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > 0 ? value[0] : value;
        if (first.ValueKind == JsonValueKind.Number && first.TryGetInt32(out int id)) return id;
        return Wrong<int?>(key, value, "a token id");
    }

    /// <summary>A token id or a list of them; empty when absent, null or an empty list.</summary>
    public IReadOnlyList<int> TokenIds(string key)
    {
        if (!Find(key, out var value)) return [];
        var ids = new List<int>();
        foreach (var each in value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : Enumerable.Repeat(value, 1))
        {
            if (each.ValueKind == JsonValueKind.Number && each.TryGetInt32(out int id)) ids.Add(id);
            else return Wrong<IReadOnlyList<int>>(key, value, "a token id or a list of them") ?? [];
        }

        return ids;
    }

    /// <summary>A string or a list of them; empty when absent or null.</summary>
    public IReadOnlyList<string> Strings(string key)
    {
        if (!Find(key, out var value)) return [];
        JsonElement[] each = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : [value];
        return each.All(item => item.ValueKind == JsonValueKind.String) ? [.. each.Select(item => item.GetString()!)]
            : Wrong<IReadOnlyList<string>>(key, value, "a string or a list of them") ?? [];
    }

    /// <summary>An object of numbers, in the order of the file; empty when absent or null.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> NumbersByName(string key)
    {
        if (!Find(key, out var value)) return [];
        return value.ValueKind == JsonValueKind.Object && value.EnumerateObject().All(each => each.Value.ValueKind == JsonValueKind.Number)
            ? [.. value.EnumerateObject().Select(each => KeyValuePair.Create(each.Name, each.Value.GetDouble()))]
            : Wrong<IReadOnlyList<KeyValuePair<string, double>>>(key, value, "an object of numbers") ?? [];
    }

    public bool Has(string key) => Find(key, out _);

    public bool IsString(string key) => Find(key, out var value) && value.ValueKind == JsonValueKind.String;

    /// <summary>Present, and null.</summary>
    public bool IsNull(string key) => root.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.Null;

    public void Require(bool ok, string problem)
    {
        if (!ok) Problems.Add(problem);
    }

    private bool Find(string key, out JsonElement value) => root.TryGetProperty(key, out value) && value.ValueKind != JsonValueKind.Null;

    private int Missing(string key)
    {
        Problems.Add($"{key} is missing");
        return 0;
    }

    private T? Wrong<T>(string key, JsonElement value, string wanted)
    {
        string text = value.GetRawText();
        Problems.Add($"{key} is {(text.Length <= 60 ? text : text[..60] + "…")}, not {wanted}");
        return default;
    }
}
