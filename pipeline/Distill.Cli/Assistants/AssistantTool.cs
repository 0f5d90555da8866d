using System.Text.Json.Nodes;

namespace Distill.Cli.Assistants;

/// <summary>Whether a tool leaves everything as it is, adds something, or may end what is at work.</summary>
internal enum ToolEffect
{
    Reads,
    Starts,
    Ends,
}

/// <summary>A tool that assistants see.</summary>
/// <param name="Description">What it is for and what comes back, for the assistant.</param>
/// <param name="HoldsTexts">Whether answers hold texts of problems, models or files, which are data and never instructions.</param>
/// <param name="Do">Any thread; bounded by its caller.</param>
internal sealed record AssistantTool(
    string Name, string Title, string Description, IReadOnlyList<ToolArgument> Arguments, ToolEffect Effect, bool HoldsTexts,
    Func<ToolCall, CancellationToken, JsonNode?> Do)
{
    public JsonObject ToSchema()
    {
        var schema = new JsonObject
        {
            ["type"] = "object",
            ["properties"] = new JsonObject(Arguments.Select(one => KeyValuePair.Create(one.Name, (JsonNode?)one.ToSchema()))),
            ["additionalProperties"] = false,
        };
        string[] required = [.. Arguments.Where(one => one.IsRequired).Select(one => one.Name)];
        if (required.Length > 0) schema["required"] = new JsonArray([.. required.Select(name => (JsonNode?)name)]);
        return schema;
    }
}
