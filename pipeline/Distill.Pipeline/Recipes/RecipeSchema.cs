using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Distill.Pipeline.Recipes.Binding;

namespace Distill.Pipeline.Recipes;

/// <summary>The declarations of recipes as JSON Schema (draft 2020-12), with which an editor completes and checks recipes.</summary>
internal static class RecipeSchema
{
    private static readonly JsonSerializerOptions Layout = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The whole schema, always the same text.</summary>
    public static string Write()
    {
        var distill = SectionDeclaration.Of(typeof(DistillationRecipe));
        var pretrain = SectionDeclaration.Of(typeof(PretrainRecipe));
        var schema = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "Distill recipe",
            ["description"] = "What 'distill run' or, with kind: pretrain, 'distill pretrain' does. Written by 'distill schema'.",
            ["type"] = "object",
            ["if"] = new JsonObject { ["properties"] = new JsonObject { [RecipeFile.KindKey] = Constant(RecipeFile.Pretrain) },
                ["required"] = new JsonArray(RecipeFile.KindKey) },
            ["then"] = Reference(RecipeFile.Pretrain),
            ["else"] = Reference(RecipeFile.Distill),
            ["$defs"] = new JsonObject { [RecipeFile.Distill] = Recipe(distill, RecipeFile.Distill),
                [RecipeFile.Pretrain] = Recipe(pretrain, RecipeFile.Pretrain) },
        };
        return schema.ToJsonString(Layout) + "\n";
    }

    /// <summary>The schema of another kind of file that is declared in the same way.</summary>
    public static string Of(SectionDeclaration root, string title, string description)
    {
        var schema = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema", ["title"] = title, ["description"] = description,
        };
        foreach (var (key, value) in Section(root, []).ToList()) schema[key] = value?.DeepClone();
        if (Required(root) is { } required) schema["required"] = required["required"]!.DeepClone();
        return schema.ToJsonString(Layout) + "\n";
    }

    private static JsonObject Recipe(SectionDeclaration declaration, string kind)
    {
        var properties = new JsonObject
        {
            [RecipeFile.KindKey] = Described("what the recipe is; the default is distill", Constant(kind)),
            [RecipeFile.ExtendsKey] = Described("recipe that this one goes on from, relative to it: what is written here goes before "
                + "what is written there, key by key",
                new JsonObject { ["type"] = "string" }),
        };
        var node = Section(declaration, properties);
        // What must be there may come from the recipe that is extended.
        node["if"] = new JsonObject { ["not"] = new JsonObject { ["required"] = new JsonArray(RecipeFile.ExtendsKey) } };
        node["then"] = Required(declaration)!;
        return node;
    }

    private static JsonObject Section(SectionDeclaration declaration, JsonObject properties)
    {
        foreach (var option in declaration.Options) properties[option.Key] = Option(option);
        return new JsonObject { ["type"] = "object", ["properties"] = properties, ["additionalProperties"] = false };
    }

    /// <returns>Null where nothing is required.</returns>
    private static JsonObject? Required(SectionDeclaration declaration)
    {
        var inner = declaration.Options.Where(option => option.Kind == OptionKind.Section && option.Default is not null)
            .Select(option => (option.Key, Node: Required(SectionDeclaration.Of(option.ValueType)))).Where(pair =>
                pair.Node is not null).ToList();
        string[] keys = [.. declaration.Options.Where(option => option.Attribute.Required).Select(option => option.Key),
            .. inner.Select(pair => pair.Key)];
        if (keys.Length == 0) return null;
        var node = new JsonObject { ["required"] = new JsonArray([.. keys.Select(key => (JsonNode)key)]) };
        if (inner.Count > 0) node["properties"] = new JsonObject(inner.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Node)));
        return node;
    }

    private static JsonObject Option(OptionDeclaration option)
    {
        var node = option.Kind switch
        {
            OptionKind.Integer => Ranged("integer", option.Attribute),
            OptionKind.Number => Ranged("number", option.Attribute),
            OptionKind.Flag => Typed("boolean"),
            OptionKind.Word => new JsonObject { ["enum"] = new JsonArray([.. option.Words.Select(word => (JsonNode?)word), null]) },
            OptionKind.Text when option.Attribute.Listed => new JsonObject
            {
                ["type"] = new JsonArray("string", "array", "null"), ["items"] = new JsonObject { ["type"] = "string" },
            },
            OptionKind.Text when option.Attribute.TakesNumbers => new JsonObject { ["type"] = new JsonArray("string", "number", "null") },
            OptionKind.Text => Typed("string"),
            OptionKind.Map => new JsonObject
            {
                ["type"] = new JsonArray("object", "null"),
                ["additionalProperties"] = new JsonObject { ["type"] = new JsonArray("string", "number", "boolean", "null") },
            },
            OptionKind.List => Items(option),
            _ => Inner(option),
        };
        return Described(Meaning(option), node, DefaultOf(option));
    }

    private static JsonObject Inner(OptionDeclaration option)
    {
        var node = Section(SectionDeclaration.Of(option.ValueType), []);
        node["type"] = new JsonArray("object", "null");
        return node;
    }

    private static JsonObject Items(OptionDeclaration option)
    {
        var declaration = SectionDeclaration.Of(option.ItemType);
        var item = Section(declaration, []);
        if (Required(declaration) is { } required) item["required"] = required["required"]!.DeepClone();
        return new JsonObject
        {
            ["type"] = option.Attribute.Rows ? new JsonArray("array", "string", "null") : "array",
            ["items"] = item,
            ["minItems"] = (int)option.Attribute.Minimum,
            ["maxItems"] = (int)option.Attribute.Maximum,
        };
    }

    private static JsonObject Ranged(string type, OptionAttribute option)
    {
        var node = Typed(type);
        node[option.Above ? "exclusiveMinimum" : "minimum"] = JsonNumber(option.Minimum);
        node["maximum"] = JsonNumber(option.Maximum);
        return node;
    }

    private static JsonNode JsonNumber(double value) =>
        value == Math.Floor(value) ? JsonValue.Create(value >= long.MaxValue ? long.MaxValue : (long)value) : JsonValue.Create(value);

    // A key without a value counts as absent.
    private static JsonObject Typed(string type) => new() { ["type"] = new JsonArray(type, "null") };

    private static string Meaning(OptionDeclaration option)
    {
        var attribute = option.Attribute;
        string text = attribute.Unit is { } unit && !attribute.Meaning.Contains(unit, StringComparison.Ordinal)
            ? $"{attribute.Meaning}, in {unit}" : attribute.Meaning;
        return attribute.Default is { } words ? $"{text}. Default: {words}"
            : attribute.From is { } from ? $"{text}. Default: that of {from}" : text;
    }

    private static JsonNode? DefaultOf(OptionDeclaration option) => option switch
    {
        { Attribute: { Default: not null } or { From: not null } or { Required: true } } or { Default: null } => null,
        { Kind: OptionKind.Integer or OptionKind.Number or OptionKind.Flag or OptionKind.Text } =>
            JsonSerializer.SerializeToNode(option.Default, option.ValueType),
        { Kind: OptionKind.Word, Default: Enum word } => OptionDeclaration.Spell(word),
        { Kind: OptionKind.Word, Default: string word } => word,
        _ => null,
    };

    private static JsonObject Described(string meaning, JsonObject node, JsonNode? standard = null)
    {
        var described = new JsonObject { ["description"] = meaning };
        if (standard is not null) described["default"] = standard;
        foreach (var (key, value) in node.ToList())
        {
            node.Remove(key);
            described[key] = value;
        }

        return described;
    }

    private static JsonObject Constant(string value) => new() { ["const"] = value };

    private static JsonObject Reference(string name) => new() { ["$ref"] = $"#/$defs/{name}" };
}
