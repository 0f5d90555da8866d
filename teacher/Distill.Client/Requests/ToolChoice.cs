using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Distill.Client;

/// <summary>Which tools a request offers, and which it demands.</summary>
/// <param name="Tools">None where calls are not wanted: the model is not told of them then.</param>
/// <param name="Required">The reply must be a call of one of these; null: it need not.</param>
internal sealed record ToolChoice(IReadOnlyList<ToolDefinition> Tools, IReadOnlyList<ToolDefinition>? Required)
{
    public static ToolChoice Read(ChatOptions options)
    {
        List<ToolDefinition> tools = [.. (options.Tools ?? []).Select(Read)];
        if (tools.DistinctBy(tool => tool.Name).Count() < tools.Count) throw new ArgumentException("Two of the Tools have the same name.");
        switch (options.ToolMode)
        {
            case null or AutoChatToolMode:
                return new ToolChoice(tools, null);
            case NoneChatToolMode:
                return new ToolChoice([], null);
            case RequiredChatToolMode required:
                if (tools.Count == 0) throw new ArgumentException("ToolMode demands a call, but there are no Tools.");
                if (required.RequiredFunctionName is not { } name) return new ToolChoice(tools, tools);
                return tools.Find(tool => tool.Name == name) is { } wanted ? new ToolChoice(tools, [wanted])
                    : throw new ArgumentException($"ToolMode demands a call of '{name}', which is none of the Tools.");
            default:
                throw new NotSupportedException($"A local model does not support the ToolMode {options.ToolMode.GetType().Name}.");
        }
    }

    private static ToolDefinition Read(AITool tool)
    {
        if (tool.GetService<AIFunctionDeclaration>() is not { } function)
            throw new NotSupportedException(
                $"A local model does not support the tool '{tool.Name}' ({tool.GetType().Name}): it is no function.");
        WrittenText.Require(function.Name, "the name of a tool");
        WrittenText.Require(function.Description, $"the description of the tool '{function.Name}'");
        var parameters = WrittenText.Require(function.JsonSchema, $"the parameters of the tool '{function.Name}'");
        return new ToolDefinition(function.Name, function.Description, parameters);
    }
}

/// <summary>Texts of callers, which are Unicode or are refused.</summary>
internal static class WrittenText
{
    /// <param name="place">Where the text stands, e.g. "message 2".</param>
    /// <exception cref="ArgumentException">It holds half of a surrogate pair.</exception>
    public static string Require(string? text, string place)
    {
        for (int i = 0; i < text?.Length; i++)
        {
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1])) i++;
            else if (char.IsSurrogate(text[i]))
                throw new ArgumentException(
                    $"There is half of a surrogate pair (U+{(int)text[i]:X4}) at {i} in {place}: it is no character.");
        }

        return text ?? "";
    }

    /// <inheritdoc cref="Require(string?, string)"/>
    public static JsonElement Require(JsonElement value, string place) => IsText(value) ? value
        : throw new ArgumentException($"There is half of a surrogate pair in the JSON of {place}: it is no character.");

    /// <summary>A value as JSON.</summary>
    /// <exception cref="ArgumentException">It cannot be written, or holds half of a surrogate pair.</exception>
    public static JsonElement Written(object value, string place)
    {
        try
        {
            return Require(JsonSerializer.SerializeToElement(value, AIJsonUtilities.DefaultOptions.GetTypeInfo(typeof(object))), place);
        }
        catch (JsonException e) // a JsonElement says so of its texts only when it is written
        {
            throw new ArgumentException($"What stands in {place} cannot be written as JSON: {e.Message}", e);
        }
    }

    /// <summary>Whether every text and name of a value is Unicode: JSON can spell half of a surrogate pair.</summary>
    public static bool IsText(JsonElement value)
    {
        try
        {
            return value.ValueKind switch
            {
                JsonValueKind.Object => value.EnumerateObject().All(member => member.Name is not null && IsText(member.Value)),
                JsonValueKind.Array => value.EnumerateArray().All(IsText),
                JsonValueKind.String => value.GetString() is not null,
                _ => true,
            };
        }
        catch (InvalidOperationException) // how JsonElement says that it is no text
        {
            return false;
        }
    }
}
