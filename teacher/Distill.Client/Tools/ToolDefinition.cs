using System.Text.Json;

namespace Distill.Client;

/// <summary>A tool that a model may call.</summary>
/// <param name="Parameters">JSON Schema of its arguments, an object.</param>
internal sealed record ToolDefinition(string Name, string? Description, JsonElement Parameters)
{
    /// <summary>Tools as templates take them, in the variable <c>tools</c>.</summary>
    public static JsonElement ForTemplate(IEnumerable<ToolDefinition> tools) => JsonSerializer.SerializeToElement(tools.Select(tool =>
    {
        var function = new Dictionary<string, object> { ["name"] = tool.Name };
        if (!string.IsNullOrEmpty(tool.Description)) function["description"] = tool.Description;
        function["parameters"] = tool.Parameters;
        return new Dictionary<string, object> { ["type"] = "function", ["function"] = function };
    }));
}
