using System.Text.Json;
using System.Text.Json.Nodes;
using Distill.Pipeline.Recipes;

namespace Distill.Cli.Assistants;

internal enum ArgumentKind
{
    Text,
    Texts,
    Number,
    Flag,
}

/// <summary>One argument of a tool.</summary>
/// <param name="Most">Of a number, which is 0 or more, and the length of a list.</param>
internal sealed record ToolArgument(string Name, ArgumentKind Kind, string Description, bool IsRequired = false, int Most = 100)
{
    public JsonObject ToSchema()
    {
        var schema = new JsonObject { ["description"] = Description };
        switch (Kind)
        {
            case ArgumentKind.Text:
                schema["type"] = "string";
                schema["maxLength"] = ToolCall.LongestText;
                break;
            case ArgumentKind.Texts:
                schema["type"] = "array";
                schema["maxItems"] = Most;
                schema["items"] = new JsonObject { ["type"] = "string", ["maxLength"] = ToolCall.LongestText };
                break;
            case ArgumentKind.Number:
                schema["type"] = "integer";
                schema["minimum"] = 0;
                schema["maximum"] = Most;
                break;
            case ArgumentKind.Flag:
                schema["type"] = "boolean";
                break;
            default:
                throw new InvalidOperationException($"Unknown kind {Kind}.");
        }

        return schema;
    }
}

/// <summary>What an assistant passes to a tool, held against what the tool declares. Immutable.</summary>
internal sealed class ToolCall
{
    public const int LongestText = 4096;

    private readonly IReadOnlyDictionary<string, JsonElement> given;

    private ToolCall(IReadOnlyDictionary<string, JsonElement> given) => this.given = given;

    /// <exception cref="UsageException">An argument is missing, unknown, or of another kind.</exception>
    public static ToolCall Read(IReadOnlyList<ToolArgument> declared, IEnumerable<KeyValuePair<string, JsonElement>> arguments)
    {
        var given = arguments.Where(pair => pair.Value.ValueKind != JsonValueKind.Null).ToDictionary();
        string[] names = [.. declared.Select(argument => argument.Name)];
        foreach (string name in given.Keys.Where(name => !names.Contains(name)))
            throw new UsageException(
                $"There is no argument '{name}'.", names.Length == 0 ? "There are none." : Suggestion.Remedy(name, names));
        foreach (var argument in declared)
        {
            if (!given.TryGetValue(argument.Name, out var value))
            {
                if (argument.IsRequired) throw new UsageException($"The argument '{argument.Name}' is missing.", argument.Description);
            }
            else if (!Fits(argument, value))
            {
                throw new UsageException($"The argument '{argument.Name}' does not fit.", $"{argument.Description} {Expected(argument)}");
            }
        }

        return new ToolCall(given);
    }

    public string Text(string name) => given[name].GetString()!;

    public string? OptionalText(string name) => given.TryGetValue(name, out var value) ? value.GetString() : null;

    public IReadOnlyList<string> Texts(string name) =>
        given.TryGetValue(name, out var value) ? [.. value.EnumerateArray().Select(item => item.GetString()!)] : [];

    public int Number(string name, int otherwise) => given.TryGetValue(name, out var value) ? value.GetInt32() : otherwise;

    public bool Flag(string name) => given.TryGetValue(name, out var value) && value.GetBoolean();

    private static bool Fits(ToolArgument argument, JsonElement value) => argument.Kind switch
    {
        ArgumentKind.Text => IsText(value),
        ArgumentKind.Texts => value.ValueKind == JsonValueKind.Array && value.GetArrayLength() <= argument.Most
            && value.EnumerateArray().All(IsText),
        ArgumentKind.Number => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number >= 0
            && number <= argument.Most,
        ArgumentKind.Flag => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        _ => throw new InvalidOperationException($"Unknown kind {argument.Kind}."),
    };

    private static bool IsText(JsonElement value) => value.ValueKind == JsonValueKind.String
        && value.GetString() is { Length: <= LongestText } text && !text.Contains('\0');

    private static string Expected(ToolArgument argument) => argument.Kind switch
    {
        ArgumentKind.Text => $"A text of at most {LongestText:N0} characters.",
        ArgumentKind.Texts => $"A list of at most {argument.Most} texts.",
        ArgumentKind.Number => $"A whole number, 0 to {argument.Most:N0}.",
        _ => "true or false.",
    };
}
