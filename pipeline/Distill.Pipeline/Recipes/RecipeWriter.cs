using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Distill.Hub;
using Distill.Pipeline.Recipes.Binding;

namespace Distill.Pipeline.Recipes;

/// <summary>Recipe → YAML with every value in use written out and paths relative to the file: itself a recipe, equal when read
/// back.</summary>
internal static class RecipeWriter
{
    private const string Heading = "# Resolved: every value that the run uses.\n", FolderMark = "# Written for: ";

    /// <param name="folder">Folder the file will lie in.</param>
    /// <param name="isMovable">Says in a comment what that folder is, so that paths are still found when the file is moved alone.</param>
    public static string ToYaml(Recipe recipe, string folder, bool isMovable = false)
    {
        var node = ToJson(recipe, path => recipe.Pulled.OriginOfFolder(path)
            ?? (HubReference.IsReference(path) ? path : Path.GetRelativePath(folder, path).Replace('\\', '/')));
        var text = new StringBuilder(Heading);
        if (isMovable) text.Append(FolderMark).Append(CanonicalJson.Write(Path.GetFullPath(folder))).Append('\n');
        Write(text, node, 0);
        return text.ToString();
    }

    /// <summary>The folder that <see cref="ToYaml"/> wrote a text for; null where it does not say.</summary>
    public static string? FolderOf(string text)
    {
        if (!text.StartsWith(Heading + FolderMark, StringComparison.Ordinal)) return null;
        string line = text[(Heading.Length + FolderMark.Length)..].Split('\n')[0].Trim();
        try
        {
            return JsonNode.Parse(line) is JsonValue value && value.TryGetValue(out string? folder) && Path.IsPathFullyQualified(folder)
                ? folder : null;
        }
        catch (JsonException)
        {
            return null; // a comment that somebody changed
        }
    }

    /// <summary>The recipe as JSON in recipe spelling, its paths mapped (to relative paths, or to names for a digest).</summary>
    public static JsonObject ToJson(Recipe recipe, Func<string, string> path)
    {
        var node = new JsonObject { [RecipeFile.KindKey] = recipe is PretrainRecipe ? RecipeFile.Pretrain : RecipeFile.Distill };
        foreach (var (key, value) in SectionJson.Full(recipe, recipe, path).ToList())
        {
            value?.Parent?.AsObject().Remove(key);
            node[key] = value;
        }

        return node;
    }

    private static void Write(StringBuilder text, JsonObject map, int indent)
    {
        foreach (var (key, value) in map)
        {
            text.Append(' ', indent).Append(key).Append(':');
            switch (value)
            {
                case JsonObject { Count: > 0 } section when section.Select(pair => pair.Key).All(IsPlain):
                    text.Append('\n');
                    Write(text, section, indent + 2);
                    break;
                case JsonArray { Count: > 0 } list:
                    text.Append('\n');
                    foreach (var item in list) text.Append(' ', indent + 2).Append("- ").Append(Flow(item)).Append('\n');
                    break;
                default:
                    text.Append(' ').Append(Flow(value)).Append('\n');
                    break;
            }
        }
    }

    // JSON is YAML: items and scalars are written as JSON, words without their quotes where YAML reads the same text.
    private static string Flow(JsonNode? node) => node switch
    {
        JsonObject map => "{ " + string.Join(", ", map.Select(pair => $"{Flow(JsonValue.Create(pair.Key))}: {Flow(pair.Value)}")) + " }",
        JsonValue value when value.GetValueKind() == JsonValueKind.String && IsPlain(value.GetValue<string>()) => value.GetValue<string>(),
        _ => node?.ToJsonString(CanonicalJson.Spelling) ?? "null",
    };

    private static bool IsPlain(string text) =>
        text.Length > 0 && char.IsAsciiLetter(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '/' or '.')
        && text is not ("true" or "false" or "null");
}
