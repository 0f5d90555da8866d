using System.Text.Json;

namespace Distill.Generation.Constraints;

/// <summary>
/// Tells whether two schemas can hold of one value: by their types, by the values they list, or by a property that both require and that
/// tells them apart. In doubt they can, and one schema is looked at for so long only. Not thread-safe.
/// </summary>
internal sealed class SchemaShapes(SchemaPointers pointers)
{
    private const int MostSteps = 16;
    private const long MostVisits = 500_000;
    private static readonly string[] s_all = ["object", "array", "string", "number", "boolean", "null"];

    private long visits;

    /// <summary>Nothing more is looked at: all is in doubt.</summary>
    private bool IsTired => visits >= MostVisits;

    public bool AreDisjoint(JsonElement one, JsonElement other) => AreDisjoint(one, other, 0);

    /// <summary>Whether a value is of a type, as JSON Schema counts: 1.0 is an integer.</summary>
    public static bool IsOf(JsonElement value, string type) => type == "integer"
        ? value.ValueKind == JsonValueKind.Number && value.TryGetDecimal(out decimal number) && number == decimal.Truncate(number)
        : TypeOf(value) == type;

    private bool AreDisjoint(JsonElement one, JsonElement other, int steps)
    {
        visits++;
        if (steps > MostSteps || IsTired) return false;
        (one, other) = (Target(one), Target(other));
        string[] types = Types(one, steps), others = Types(other, steps);
        if (!types.Intersect(others).Any()) return true;
        if (Given(one) is { } values && Given(other) is { } otherValues)
        {
            visits += (long)values.Count() * otherValues.Count();
            return !IsTired && !values.Any(value => otherValues.Any(each => JsonElement.DeepEquals(value, each)));
        }

        return types is ["object"] && others is ["object"] && TellsApart(one, other, steps);
    }

    private bool TellsApart(JsonElement one, JsonElement other, int steps)
    {
        string[] common = [.. Required(one).Intersect(Required(other))];
        visits += common.Length;
        return common.Any(name => !IsTired
            && Property(one, name) is { } mine && Property(other, name) is { } theirs && AreDisjoint(mine, theirs, steps + 1));
    }

    private string[] Types(JsonElement schema, int steps)
    {
        visits++;
        schema = Target(schema);
        if (steps > MostSteps || IsTired || schema.ValueKind != JsonValueKind.Object) return s_all;
        if (Given(schema) is { } values)
        {
            visits += values.Count();
            return [.. values.Select(TypeOf).Distinct()];
        }

        foreach (string keyword in (string[])["anyOf", "oneOf", "allOf"])
        {
            if (schema.TryGetProperty(keyword, out var list) && list.ValueKind == JsonValueKind.Array)
                return [.. list.EnumerateArray().SelectMany(each => Types(each, steps + 1)).Distinct()];
        }

        if (!schema.TryGetProperty("type", out var type)) return schema.TryGetProperty("properties", out _) ? ["object"] : s_all;
        IEnumerable<JsonElement> listed = type.ValueKind == JsonValueKind.Array ? type.EnumerateArray() : [type];
        return [.. listed.Select(each => Word(each) is "integer" ? "number" : Word(each) ?? "").Distinct()];
    }

    private JsonElement Target(JsonElement schema)
    {
        for (int step = 0; step < MostSteps && schema.ValueKind == JsonValueKind.Object; step++)
        {
            if (!schema.TryGetProperty("$ref", out var reference) || Word(reference) is not ['#', ..] pointer) break;
            schema = pointers.Resolve(pointer[1..]);
        }

        return schema;
    }

    // What is malformed is refused where it is read; here it only must not be taken for something else.
    private static string? Word(JsonElement element) => element.ValueKind == JsonValueKind.String ? element.GetString() : null;

    private static IEnumerable<JsonElement>? Given(JsonElement schema) =>
        schema.ValueKind != JsonValueKind.Object ? null
        : schema.TryGetProperty("const", out var value) ? [value]
        : schema.TryGetProperty("enum", out var list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : null;

    private static IEnumerable<string> Required(JsonElement schema) =>
        schema.TryGetProperty("required", out var names) && names.ValueKind == JsonValueKind.Array
            ? names.EnumerateArray().Where(name => name.ValueKind == JsonValueKind.String).Select(name => name.GetString()!) : [];

    private static JsonElement? Property(JsonElement schema, string name) =>
        schema.TryGetProperty("properties", out var properties) && properties.ValueKind == JsonValueKind.Object
            && properties.TryGetProperty(name, out var property) ? property : null;

    private static string TypeOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "object",
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.Number => "number",
        JsonValueKind.Null => "null",
        _ => "boolean",
    };
}
