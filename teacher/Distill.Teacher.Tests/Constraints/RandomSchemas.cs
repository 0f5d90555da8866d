using System.Text.Json;
using System.Text.Json.Nodes;

namespace Distill.Teacher.Tests.Constraints;

/// <summary>Schemas of every supported keyword, by chance; and values that satisfy them.</summary>
internal sealed class RandomSchemas(Random random)
{
    private static readonly string[] s_names = ["name", "age", "tags", "né", "a b", "quote\"", "n", "name2", "b\\s"];
    private static readonly string[] s_patterns = ["^[a-z]{2,4}$", "^(ab|cd)+$", "x", "^\\d{3}-\\d{2}$", "^[^\"]*é$", "^\\w+\\s\\w+$"];

    public JsonElement Next()
    {
        var schema = Schema(3);
        // Half of them refer to a part of themselves.
        if (random.Next(2) == 0)
        {
            schema = new JsonObject
            {
                ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
                ["$ref"] = "#/$defs/tree",
                ["$defs"] = new JsonObject
                {
                    ["tree"] = new JsonObject
                    {
                        ["type"] = "object", ["required"] = new JsonArray("value"), ["additionalProperties"] = false,
                        ["properties"] = new JsonObject
                        {
                            ["value"] = schema,
                            ["children"] = new JsonObject
                            {
                                ["type"] = "array", ["maxItems"] = 2, ["items"] = new JsonObject { ["$ref"] = "#/$defs/tree" },
                            },
                        },
                    },
                },
            };
        }

        return JsonSerializer.SerializeToElement(schema);
    }

    private JsonObject Schema(int depth) => random.Next(depth > 0 ? 12 : 8) switch
    {
        0 => String(),
        1 => new JsonObject { ["type"] = "string", ["pattern"] = s_patterns[random.Next(s_patterns.Length)] },
        2 => Number("integer"),
        3 => Number("number"),
        4 => new JsonObject { ["enum"] = new JsonArray("red", "green", "gr", 12, 1, null, true, 1.5) },
        5 => new JsonObject { ["const"] = new JsonObject { ["k"] = new JsonArray(1, "x\n") } },
        6 => new JsonObject { ["type"] = new JsonArray("boolean", "null"), ["description"] = "either" },
        7 => new JsonObject { ["type"] = "string", ["format"] = random.Next(2) == 0 ? "date-time" : "uuid" },
        8 => new JsonObject { ["anyOf"] = new JsonArray(Schema(depth - 1), Schema(depth - 1)) },
        9 => new JsonObject
        {
            ["oneOf"] = new JsonArray(
                Tagged("a", Schema(depth - 1)), Tagged("b", Schema(depth - 1)), new JsonObject { ["type"] = "integer" }),
        },
        10 => Array(depth),
        _ => Object(depth),
    };

    private static JsonObject Tagged(string tag, JsonObject schema) => new()
    {
        ["type"] = "object", ["required"] = new JsonArray("kind"),
        ["properties"] = new JsonObject { ["kind"] = new JsonObject { ["const"] = tag }, ["more"] = schema },
    };

    private JsonObject String()
    {
        var schema = new JsonObject { ["type"] = "string" };
        if (random.Next(2) == 0) schema["maxLength"] = random.Next(4, 12);
        if (random.Next(2) == 0) schema["minLength"] = random.Next(4);
        return schema;
    }

    private JsonObject Number(string type)
    {
        var schema = new JsonObject { ["type"] = type };
        int low = random.Next(-1200, 1200);
        if (random.Next(2) == 0) schema[random.Next(2) == 0 ? "minimum" : "exclusiveMinimum"] = type == "number" ? low / 16m : low;
        if (random.Next(2) == 0)
            schema[random.Next(2) == 0 ? "maximum" : "exclusiveMaximum"] = Math.Max(low, low / 16) + random.Next(2, 300);
        return schema;
    }

    private JsonObject Array(int depth)
    {
        var schema = new JsonObject { ["type"] = "array", ["items"] = Schema(depth - 1), ["maxItems"] = random.Next(2, 4) };
        if (random.Next(2) == 0) schema["minItems"] = random.Next(3);
        return schema;
    }

    private JsonObject Object(int depth)
    {
        var properties = new JsonObject();
        foreach (string name in s_names.OrderBy(_ => random.Next()).Take(random.Next(4))) properties[name] = Schema(depth - 1);
        var schema = new JsonObject { ["type"] = "object", ["properties"] = properties };
        string[] required = [.. properties.Select(property => property.Key).Where(_ => random.Next(2) == 0)];
        if (required.Length > 0) schema["required"] = new JsonArray([.. required.Select(name => JsonValue.Create(name))]);
        if (random.Next(3) > 0) schema["additionalProperties"] = random.Next(3) == 0 ? Schema(0) : false;
        return schema;
    }
}
