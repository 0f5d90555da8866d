using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Distill.Pipeline.Recipes;

/// <summary>Recipe → YAML with every default written out and paths relative to the file: itself a recipe, equal when read back.</summary>
public static class RecipeWriter
{
    /// <param name="folder">Folder the file will lie in.</param>
    public static string ToYaml(Recipe recipe, string folder)
    {
        var node = ToJson(recipe, path => Path.GetRelativePath(folder, path).Replace('\\', '/'));
        var text = new StringBuilder("# Resolved: every value that the run uses.\n");
        Write(text, node, 0);
        return text.ToString();
    }

    /// <summary>The recipe as JSON in recipe spelling, its paths mapped (to relative paths, or to digests for a cache key).</summary>
    public static JsonObject ToJson(Recipe recipe, Func<string, string> path)
    {
        var node = recipe switch
        {
            DistillationRecipe distillation => CanonicalJson.ToNode(distillation with
            {
                Teacher = distillation.Teacher.Remote is null ? distillation.Teacher with { Model = path(distillation.Teacher.Model) } : distillation.Teacher,
                Student = distillation.Student with { Base = path(distillation.Student.Base) },
            }).AsObject(),
            PretrainRecipe pretrain => CanonicalJson.ToNode(pretrain with
            {
                Output = path(pretrain.Output),
                Start = pretrain.Start is { } start ? path(start) : null,
                Tokenizer = pretrain.Tokenizer with { From = pretrain.Tokenizer.From is { } from ? path(from) : null },
            }).AsObject(),
            _ => throw new ArgumentException($"No such kind of recipe: {recipe.GetType()}.", nameof(recipe)),
        };
        return Arrange(recipe, node);
    }

    // What the records nest for C#'s sake is flat in the file; name and seed come first.
    private static JsonObject Arrange(Recipe recipe, JsonObject node)
    {
        if (recipe is DistillationRecipe)
        {
            var answerOnly = node["answer_only"]!.AsObject();
            var training = answerOnly["training"]!.AsObject();
            answerOnly.Remove("training");
            foreach (var (key, value) in training) answerOnly[key] = value?.DeepClone();
            FlattenEndpoint(node["teacher"]!.AsObject());
        }

        if (recipe is PretrainRecipe { Tokenizer.From: not null }) node["tokenizer"]!.AsObject().Remove("vocabulary_size");
        var arranged = new JsonObject { ["kind"] = recipe is PretrainRecipe ? "pretrain" : "distill", ["name"] = recipe.Name, ["seed"] = recipe.Seed };
        foreach (var (key, value) in node)
        {
            if (!arranged.ContainsKey(key)) arranged[key] = value?.DeepClone();
        }

        return arranged;
    }

    private static void FlattenEndpoint(JsonObject teacher)
    {
        if (teacher["remote"] is not JsonObject endpoint) return;
        teacher.Remove("remote");
        teacher.Remove("slots");
        foreach (var (key, value) in endpoint) teacher[key] = value?.DeepClone();
    }

    private static void Write(StringBuilder text, JsonObject map, int indent)
    {
        foreach (var (key, value) in map)
        {
            text.Append(' ', indent).Append(key).Append(':');
            switch (value)
            {
                case JsonObject section:
                    text.Append('\n');
                    Write(text, section, indent + 2);
                    break;
                case JsonArray list:
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
        JsonObject map => "{ " + string.Join(", ", map.Select(pair => $"{pair.Key}: {Flow(pair.Value)}")) + " }",
        JsonValue value when value.GetValueKind() == JsonValueKind.String && IsPlain(value.GetValue<string>()) => value.GetValue<string>(),
        _ => node?.ToJsonString(CanonicalJson.Spelling) ?? "null",
    };

    private static bool IsPlain(string text) =>
        text.Length > 0 && char.IsAsciiLetter(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '/' or '.')
        && text is not ("true" or "false" or "null");
}
