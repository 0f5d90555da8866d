using System.Text;
using System.Text.Json;

namespace Distill.Generation.Constraints;

/// <summary>Reads the schemas of plain values, objects and arrays: those that do not combine others.</summary>
internal sealed class ValueReader(SchemaReader reader)
{
    // Without a type, a schema speaks of the type that its keywords are about.
    private static readonly (string Type, string[] Keywords)[] s_keywords =
    [
        ("object", ["properties", "required", "additionalProperties"]),
        ("array", ["items", "minItems", "maxItems"]),
        ("string", ["minLength", "maxLength", "pattern", "format"]),
        ("number", ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"]),
    ];

    public SchemaNode Read(JsonElement schema, string place)
    {
        string[] types = Types(schema, place);
        if (schema.TryGetProperty("enum", out var list) | schema.TryGetProperty("const", out var value))
            return Given(schema, place, types, list, value);
        if (types.Length == 0) types = [.. s_keywords.Where(group => group.Keywords.Any(Has)).Select(group => group.Type)];
        if (types.Length == 0) return reader.Any();
        SchemaNode[] alternatives = [.. types.Select(type => Typed(type, schema, place))];
        return alternatives is [var only] ? only : reader.Add(new AnyOfNode(alternatives));

        bool Has(string keyword) => schema.TryGetProperty(keyword, out _);
    }

    private static string[] Types(JsonElement schema, string place)
    {
        if (!schema.TryGetProperty("type", out var type)) return [];
        JsonElement[] listed = type.ValueKind == JsonValueKind.Array ? [.. type.EnumerateArray()] : [type];
        string[] known = ["object", "array", "string", "number", "integer", "boolean", "null"];
        return listed.Length > 0 && listed.All(each => each.ValueKind == JsonValueKind.String && known.Contains(each.GetString()))
            ? [.. listed.Select(each => each.GetString()!).Distinct()]
            : throw Malformed(place, "type", $"one of {string.Join(", ", known)}, or a list of them");
    }

    private SchemaNode Given(JsonElement schema, string place, string[] types, JsonElement list, JsonElement value)
    {
        foreach (var other in schema.EnumerateObject())
        {
            bool isKnown = other.Name is "enum" or "const" or "type" or "$defs" or "definitions";
            if (!isKnown && !SchemaKeywords.Annotations.Contains(other.Name))
                throw SchemaReader.Refused(place, $"'{other.Name}' beside 'enum' or 'const'");
        }

        if (list.ValueKind is not (JsonValueKind.Array or JsonValueKind.Undefined)) throw Malformed(place, "enum", "a list of values");
        IEnumerable<JsonElement> given = list.ValueKind == JsonValueKind.Undefined ? [value] : list.EnumerateArray();
        if (list.ValueKind == JsonValueKind.Array && value.ValueKind != JsonValueKind.Undefined)
            given = given.Where(each => JsonElement.DeepEquals(each, value));
        var literal = new LiteralNode(given.Where(each => types.Length == 0 || types.Any(type => SchemaShapes.IsOf(each, type))));
        foreach (byte[] text in literal.Texts) reader.RequireSpelled(text, "a value of 'enum' or 'const'", place);
        return reader.Add(literal);
    }

    private SchemaNode Typed(string type, JsonElement schema, string place) => type switch
    {
        "object" => Object(schema, place),
        "array" => Array(schema, place),
        "string" => Text(schema, place),
        "boolean" => reader.Add(new LiteralNode([JsonSerializer.SerializeToElement(true), JsonSerializer.SerializeToElement(false)])),
        "null" => reader.Add(new LiteralNode([JsonSerializer.SerializeToElement<object?>(null)])),
        _ => Number(schema, place, type == "integer"),
    };

    private SchemaNode Object(JsonElement schema, string place)
    {
        // Who declares properties means these: with others allowed, small models ramble. It can be said that there are more.
        bool declares = schema.TryGetProperty("properties", out var declared);
        SchemaNode? others = !schema.TryGetProperty("additionalProperties", out var additional) ? (declares ? null : reader.Any())
            : additional.ValueKind == JsonValueKind.False ? null : reader.Read(additional, place + "/additionalProperties");
        var properties = new List<PropertyNode>();
        if (declares)
        {
            if (declared.ValueKind != JsonValueKind.Object) throw Malformed(place, "properties", "an object of schemas");
            foreach (var (name, value) in declared.EnumerateObject().Select(property => (property.Name, property.Value)))
            {
                if (properties.Count == ObjectNode.MostProperties) throw TooMany(place);
                properties.Add(new PropertyNode(NameOf(name, place), reader.Read(value, $"{place}/properties/{name}")));
            }
        }

        UInt128 required = 0;
        foreach (string name in Required(schema, place))
        {
            int index = properties.FindIndex(property => property.Name == name);
            if (index < 0)
            {
                if (properties.Count == ObjectNode.MostProperties) throw TooMany(place);
                index = properties.Count;
                bool isClosed = additional.ValueKind == JsonValueKind.False;
                properties.Add(new PropertyNode(name, others ?? (isClosed ? reader.Add(new AnyOfNode([])) : reader.Any())));
            }

            required |= UInt128.One << index;
        }

        if (properties.DistinctBy(property => property.Name).Count() < properties.Count)
            throw Malformed(place, "properties", "an object that names each property once");
        return reader.Add(new ObjectNode(properties, required, others));
    }

    private static NotSupportedException TooMany(string place) =>
        SchemaReader.Refused(place, $"more than {ObjectNode.MostProperties} properties");

    private List<string> Required(JsonElement schema, string place)
    {
        if (!schema.TryGetProperty("required", out var required)) return [];
        if (required.ValueKind != JsonValueKind.Array || required.EnumerateArray().Any(name => name.ValueKind != JsonValueKind.String))
            throw Malformed(place, "required", "a list of names");
        return [.. required.EnumerateArray().Select(name => NameOf(name.GetString()!, place))];
    }

    private string NameOf(string name, string place)
    {
        if (name.Any(c => c < ' ' && !"\b\f\n\r\t".Contains(c)))
            throw SchemaReader.Refused(place, "a property whose name has control characters");
        string spelled = JsonSpelling.OfName(name);
        reader.RequireSpelled(Encoding.Latin1.GetBytes(spelled), $"the property '{name}'", place);
        return spelled;
    }

    private SchemaNode Array(JsonElement schema, string place)
    {
        var items = schema.TryGetProperty("items", out var each) ? reader.Read(each, place + "/items") : reader.Any();
        return reader.Add(new ArrayNode(items, Count(schema, place, "minItems") ?? 0, Count(schema, place, "maxItems")));
    }

    private SchemaNode Text(JsonElement schema, string place)
    {
        int? least = Count(schema, place, "minLength"), most = Count(schema, place, "maxLength");
        string? pattern = Word(schema, place, "pattern"), format = Word(schema, place, "format");
        if (format is not null && !SchemaKeywords.Formats.ContainsKey(format)) throw SchemaReader.Refused(place, $"the format '{format}'");
        if (pattern is not null && format is not null) throw SchemaReader.Refused(place, "'pattern' beside 'format'");
        if ((pattern ?? format) is null) return reader.Add(new StringNode(least ?? 0, most));
        if (least > 0 || most is not null)
            throw SchemaReader.Refused(place, $"a length beside '{(pattern is null ? "format" : "pattern")}'");
        try
        {
            return reader.Add(new PatternNode(reader.Patterns.Of(pattern ?? SchemaKeywords.Formats[format!])));
        }
        catch (NotSupportedException e)
        {
            throw SchemaReader.Refused(place, $"the pattern '{pattern ?? format}' with {e.Message}");
        }
    }

    private SchemaNode Number(JsonElement schema, string place, bool isInteger)
    {
        var least = Bound(schema, place, "minimum", exclusive: false);
        var above = Bound(schema, place, "exclusiveMinimum", exclusive: true);
        var greatest = Bound(schema, place, "maximum", exclusive: false);
        var below = Bound(schema, place, "exclusiveMaximum", exclusive: true);
        if (above is not null && !(least?.Value > above.Value.Value)) least = above;
        if (below is not null && !(greatest?.Value < below.Value.Value)) greatest = below;
        bool isFree = least is null && greatest is null;
        return reader.Add(new NumberNode(isInteger, isFree ? null : new NumberRange(isInteger, least, greatest)));
    }

    private static (decimal Value, bool IsExclusive)? Bound(JsonElement schema, string place, string keyword, bool exclusive)
    {
        if (!schema.TryGetProperty(keyword, out var bound)) return null;
        if (bound.ValueKind != JsonValueKind.Number) throw Malformed(place, keyword, "a number");
        return bound.TryGetDecimal(out decimal value) ? (value, exclusive)
            : throw SchemaReader.Refused(place, $"'{keyword}' of {bound.GetRawText()}");
    }

    private static int? Count(JsonElement schema, string place, string keyword)
    {
        if (!schema.TryGetProperty(keyword, out var count)) return null;
        decimal value = -1;
        _ = count.ValueKind == JsonValueKind.Number && count.TryGetDecimal(out value);
        return value >= 0 && value == decimal.Truncate(value)
            ? (int)Math.Min(value, int.MaxValue)
            : throw Malformed(place, keyword, "a whole number from 0 on");
    }

    private static string? Word(JsonElement schema, string place, string keyword) =>
        !schema.TryGetProperty(keyword, out var word) ? null
        : word.ValueKind == JsonValueKind.String ? word.GetString() : throw Malformed(place, keyword, "a text");

    private static ArgumentException Malformed(string place, string keyword, string wanted) =>
        new($"'{keyword}' of the schema at '#{place}' is not {wanted}.");
}
