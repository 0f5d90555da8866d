using System.Text.Json;
using System.Text.RegularExpressions;

namespace Distill.Verification.Named;

/// <summary>
/// The part of JSON Schema that says what an answer looks like. Read here rather than by a package because a verdict may not depend on
/// the network (references), nor take exponential time (patterns with backtracking). A keyword that is not read is refused, never ignored.
/// </summary>
internal sealed class JsonSchema
{
    private static readonly HashSet<string> Notes = ["$schema", "$id", "$comment", "title", "description", "default", "examples"];

    private readonly JsonElement schema;
    private readonly Dictionary<string, Regex> patterns = new(StringComparer.Ordinal);

    private JsonSchema(JsonElement schema) => this.schema = schema;

    /// <exception cref="ArgumentException">It is not JSON, or uses a keyword that is not read.</exception>
    public static JsonSchema Parse(string text)
    {
        var root = JsonValues.TryParse(text) ?? throw new ArgumentException("The schema is not JSON.", nameof(text));
        var result = new JsonSchema(root);
        result.Check(root);
        return result;
    }

    /// <returns>Why the value does not fit, or null when it does.</returns>
    public string? FaultOf(JsonElement value) => FaultOf(value, schema, "$");

    private void Check(JsonElement part)
    {
        if (part.ValueKind is JsonValueKind.True or JsonValueKind.False) return;
        if (part.ValueKind != JsonValueKind.Object) throw new ArgumentException($"A schema is an object, not {part.GetRawText()}.");
        foreach (var keyword in part.EnumerateObject().Where(keyword => !Notes.Contains(keyword.Name))) Check(keyword);
    }

    private void Check(JsonProperty keyword)
    {
        var value = keyword.Value;
        switch (keyword.Name)
        {
            case "properties" when value.ValueKind == JsonValueKind.Object:
                foreach (var field in value.EnumerateObject()) Check(field.Value);
                break;
            case "anyOf" or "allOf" or "oneOf" when value.ValueKind == JsonValueKind.Array:
                foreach (var item in value.EnumerateArray()) Check(item);
                break;
            case "items" or "additionalProperties" or "not":
                Check(value);
                break;
            case "pattern" when value.ValueKind == JsonValueKind.String:
                patterns[value.GetString()!] = Compiled(value.GetString()!);
                break;
            case "type" when value.ValueKind is JsonValueKind.String or JsonValueKind.Array:
            case "required" or "enum" when value.ValueKind == JsonValueKind.Array:
            case "minimum" or "maximum" or "exclusiveMinimum" or "exclusiveMaximum" when value.ValueKind == JsonValueKind.Number:
            case "minItems" or "maxItems" or "minLength" or "maxLength" when value.ValueKind == JsonValueKind.Number:
            case "const":
                break;
            default:
                throw new ArgumentException($"The schema's '{keyword.Name}': {value.GetRawText()} is not read here; leave it out.");
        }
    }

    private static Regex Compiled(string pattern)
    {
        try
        {
            return new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (NotSupportedException fault)
        {
            throw new ArgumentException($"The schema's pattern '{pattern}' needs backtracking.", fault);
        }
    }

    private string? FaultOf(JsonElement value, JsonElement part, string path)
    {
        if (part.ValueKind == JsonValueKind.True) return null;
        if (part.ValueKind == JsonValueKind.False) return $"{path} may not be there";
        foreach (var keyword in part.EnumerateObject())
            if (FaultOf(value, part, keyword, path) is { } fault) return fault;
        return null;
    }

    private string? FaultOf(JsonElement value, JsonElement part, JsonProperty keyword, string path)
    {
        var wanted = keyword.Value;
        bool fits = keyword.Name switch
        {
            "type" => Types(wanted).Any(type => HasType(value, type)),
            "const" => JsonValues.Canonical(value) == JsonValues.Canonical(wanted),
            "enum" => wanted.EnumerateArray().Any(option => JsonValues.Canonical(value) == JsonValues.Canonical(option)),
            "anyOf" => wanted.EnumerateArray().Any(option => FaultOf(value, option, path) is null),
            "oneOf" => wanted.EnumerateArray().Count(option => FaultOf(value, option, path) is null) == 1,
            "not" => FaultOf(value, wanted, path) is not null,
            "allOf" => wanted.EnumerateArray().All(option => FaultOf(value, option, path) is null),
            _ => value.ValueKind switch
            {
                JsonValueKind.Number => NumberFits(value.GetDouble(), keyword),
                JsonValueKind.String => StringFits(value.GetString()!, keyword),
                JsonValueKind.Array => ArrayFits(value, keyword, path),
                JsonValueKind.Object => ObjectFits(value, part, keyword, path),
                _ => true,
            },
        };
        return fits ? null : $"{path} does not fit '{keyword.Name}'";
    }

    private static bool NumberFits(double number, JsonProperty keyword) => keyword.Name switch
    {
        "minimum" => number >= keyword.Value.GetDouble(),
        "maximum" => number <= keyword.Value.GetDouble(),
        "exclusiveMinimum" => number > keyword.Value.GetDouble(),
        "exclusiveMaximum" => number < keyword.Value.GetDouble(),
        _ => true,
    };

    private bool StringFits(string text, JsonProperty keyword) => keyword.Name switch
    {
        "minLength" => text.EnumerateRunes().Count() >= keyword.Value.GetDouble(),
        "maxLength" => text.EnumerateRunes().Count() <= keyword.Value.GetDouble(),
        "pattern" => patterns[keyword.Value.GetString()!].IsMatch(text),
        _ => true,
    };

    private bool ArrayFits(JsonElement list, JsonProperty keyword, string path) => keyword.Name switch
    {
        "minItems" => list.GetArrayLength() >= keyword.Value.GetDouble(),
        "maxItems" => list.GetArrayLength() <= keyword.Value.GetDouble(),
        "items" => list.EnumerateArray().All(item => FaultOf(item, keyword.Value, path) is null),
        _ => true,
    };

    private bool ObjectFits(JsonElement value, JsonElement part, JsonProperty keyword, string path)
    {
        var wanted = keyword.Value;
        return keyword.Name switch
        {
            "required" => wanted.EnumerateArray().All(name => value.TryGetProperty(name.ToString(), out _)),
            "properties" => wanted.EnumerateObject().All(field =>
                !value.TryGetProperty(field.Name, out var given) || FaultOf(given, field.Value, $"{path}.{field.Name}") is null),
            "additionalProperties" => value.EnumerateObject().All(field =>
                (part.TryGetProperty("properties", out var named) && named.TryGetProperty(field.Name, out _))
                || FaultOf(field.Value, wanted, $"{path}.{field.Name}") is null),
            _ => true,
        };
    }

    private static IEnumerable<string> Types(JsonElement wanted) =>
        wanted.ValueKind == JsonValueKind.Array ? wanted.EnumerateArray().Select(type => type.ToString()) : [wanted.ToString()];

    private static bool HasType(JsonElement value, string type) => type switch
    {
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        "string" => value.ValueKind == JsonValueKind.String,
        "number" => value.ValueKind == JsonValueKind.Number,
        "integer" => value.ValueKind == JsonValueKind.Number && !JsonValues.Canonical(value).Contains("e-", StringComparison.Ordinal),
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "null" => value.ValueKind == JsonValueKind.Null,
        _ => false,
    };
}
