using System.Text.Json;
using Distill.Client;

namespace Distill.Serving.Requests;

/// <summary>Whether a reply may, must or must not call.</summary>
internal enum ToolMode
{
    /// <summary>The model decides.</summary>
    Auto,

    /// <summary>It is told of no tools.</summary>
    None,

    /// <summary>It calls one: the one that is named, or any.</summary>
    Required,
}

/// <summary>The tools of a request, and how they may be used.</summary>
/// <param name="Named">The one tool that must be called; null for any.</param>
/// <param name="Parallel">Whether one reply may have several calls.</param>
internal sealed record ToolParameters(IReadOnlyList<ToolDefinition> Tools, ToolMode Mode, string? Named, bool Parallel)
{
    private const int MostTools = 128, LongestName = 64;

    /// <summary>Whether a reply can have calls at all.</summary>
    public bool CanCall => Tools.Count > 0 && Mode != ToolMode.None;

    /// <summary>Those that a reply may call.</summary>
    public IEnumerable<ToolDefinition> Callable => Tools.Where(tool => Named is null || tool.Name == Named);

    /// <param name="nested">Chats put a function into an object of its own, <c>function</c>; responses do not.</param>
    public static ToolParameters Read(RequestParameters parameters, bool nested)
    {
        var tools = ToolsOf(parameters, nested);
        var (mode, named) = ChoiceOf(parameters, nested);
        if (tools.Count == 0 && mode == ToolMode.Required)
            throw parameters.Invalid("tool_choice", "asks for a call, but there are no 'tools'");
        if (named is not null && tools.All(tool => tool.Name != named))
            throw parameters.Invalid("tool_choice", $"names the tool '{named}', which is not among 'tools'");
        return new ToolParameters(tools, mode, named, parameters.Flag("parallel_tool_calls", otherwise: true));
    }

    private static List<ToolDefinition> ToolsOf(RequestParameters parameters, bool nested)
    {
        if (parameters.Raw("tools") is not { } value) return [];
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() > MostTools)
            throw parameters.Invalid("tools", $"must be an array of at most {MostTools} tools");
        var tools = value.EnumerateArray().Select((tool, index) => ToolOf(tool, $"tools[{index}]", nested)).ToList();
        return tools.GroupBy(tool => tool.Name).FirstOrDefault(group => group.Count() > 1) is { } twice
            ? throw parameters.Invalid("tools", $"has two tools named '{twice.Key}'")
            : tools;
    }

    private static ToolDefinition ToolOf(JsonElement value, string path, bool nested)
    {
        var outer = RequestParameters.Of(value, path);
        outer.OnlyNeutral("type", IsFunction, "must be function: this server has no tools of its own");
        if (!nested) return FunctionOf(outer);
        var function = outer.Inside("function") ?? throw outer.Invalid("function", "is missing");
        outer.RefuseOthers();
        return FunctionOf(function);
    }

    private static ToolDefinition FunctionOf(RequestParameters function)
    {
        string name = NameOf(function);
        string? description = function.Text("description");
        function.Flag("strict"); // the arguments of a call that must be made always follow the schema
        var schema = function.Raw("parameters") ?? JsonSerializer.SerializeToElement(new { type = "object", properties = new { } });
        if (schema.ValueKind != JsonValueKind.Object) throw function.Invalid("parameters", "must be a JSON Schema of an object");
        function.RefuseOthers();
        return new ToolDefinition(name, description, schema);
    }

    private static string NameOf(RequestParameters function)
    {
        string name = function.RequiredText("name");
        return name.Length is > 0 and <= LongestName && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-') ? name
            : throw function.Invalid("name", $"must have 1 to {LongestName} letters, digits, '_' or '-'");
    }

    private static (ToolMode Mode, string? Named) ChoiceOf(RequestParameters parameters, bool nested)
    {
        const string name = "tool_choice";
        if (parameters.Raw(name) is not { } value) return (ToolMode.Auto, null);
        if (value.ValueKind == JsonValueKind.String)
            return value.GetString() switch
            {
                "auto" => (ToolMode.Auto, null), "none" => (ToolMode.None, null), "required" => (ToolMode.Required, null),
                _ => throw parameters.Invalid(name, "must be none, auto, required, or name a function"),
            };
        var choice = RequestParameters.Of(value, name);
        choice.OnlyNeutral("type", IsFunction, "must be function");
        var function = nested ? choice.Inside("function") ?? throw choice.Invalid("function", "is missing") : choice;
        string named = NameOf(function);
        function.RefuseOthers();
        choice.RefuseOthers();
        return (ToolMode.Required, named);
    }

    private static bool IsFunction(JsonElement value) => value.ValueKind == JsonValueKind.String && value.GetString() == "function";
}
