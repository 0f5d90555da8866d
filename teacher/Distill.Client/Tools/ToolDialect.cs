using System.Text.Json;
using Distill.Generation.Constraints;
using Distill.Templates;
using Distill.Tokenization;

namespace Distill.Client;

/// <summary>
/// How a model writes its calls, as far as its chat template shows: a call is put into a chat, and what the template makes of it is read.
/// Immutable.
/// </summary>
internal sealed class ToolDialect
{
    private const string ProbeTool = "distill_probe_tool", ProbeCall = "distill_probe_call", ProbeArgument = "distill_probe_argument";

    private readonly Tokenizer tokenizer;

    private ToolDialect(Tokenizer tokenizer, string open, string close, string arguments, bool isList, bool isWritten)
    {
        this.tokenizer = tokenizer;
        (Open, Close, Arguments, IsList, IsWrittenByTemplate) = (open, close, arguments, isList, isWritten);
        Marks = [.. new[] { open, close }.Where(mark => mark.Length > 0).Select(IdOf).OfType<int>()];
    }

    /// <summary>Before a call; empty where a call is the whole answer.</summary>
    public string Open { get; }

    /// <summary>After a call; empty where the answer's end is its end.</summary>
    public string Close { get; }

    /// <summary>The name of the arguments.</summary>
    public string Arguments { get; }

    /// <summary>All calls are one JSON array.</summary>
    public bool IsList { get; }

    /// <summary>Whether the template writes the calls of earlier replies; otherwise <see cref="Spell"/> does.</summary>
    public bool IsWrittenByTemplate { get; }

    /// <summary>Those of <see cref="Open"/> and <see cref="Close"/> that are tokens: only by their ids are they known then.</summary>
    public IReadOnlyList<int> Marks { get; }

    /// <summary>The token that ends a call; null where none does.</summary>
    public int? CloseToken => Close.Length > 0 ? IdOf(Close) : null;

    public bool IsOpenToken => Open.Length > 0 && IdOf(Open) is not null;

    public bool IsCloseToken => CloseToken is not null;

    /// <returns>Null where the template knows no tools, or writes calls as nothing here reads.</returns>
    public static ToolDialect? Of(ChatEncoder encoder)
    {
        if (!encoder.HasTemplate || Render(encoder, withCall: false)?.Contains(ProbeTool, StringComparison.Ordinal) != true) return null;
        string text = Render(encoder, withCall: true) ?? "";
        int at = text.LastIndexOf(ProbeCall, StringComparison.Ordinal);
        if (at < 0) return new ToolDialect(encoder.Tokenizer, "<tool_call>", "</tool_call>", "arguments", isList: false, isWritten: false);
        string before = text[..at], after = text[at..];
        string arguments = after.Contains("\"parameters\"", StringComparison.Ordinal) ? "parameters" : "arguments";
        if (!after.Contains($"\"{arguments}\"", StringComparison.Ordinal)) return null;
        if (before.LastIndexOf("<tool_call>", StringComparison.Ordinal) > before.LastIndexOf("</tool_call>", StringComparison.Ordinal)
            && after.Contains("</tool_call>", StringComparison.Ordinal))
            return new ToolDialect(encoder.Tokenizer, "<tool_call>", "</tool_call>", arguments, isList: false, isWritten: true);
        if (before.Contains("[TOOL_CALLS]", StringComparison.Ordinal))
            return new ToolDialect(encoder.Tokenizer, "[TOOL_CALLS]", "", arguments, isList: true, isWritten: true);
        return before.TrimEnd().EndsWith("{\"name\": \"", StringComparison.Ordinal)
            ? new ToolDialect(encoder.Tokenizer, "", "", arguments, isList: false, isWritten: true)
            : null;
    }

    /// <summary>Calls as the model writes them, for templates that do not.</summary>
    public string Spell(ToolCall call) =>
        $"{Open}\n{{\"name\": {JsonSerializer.Serialize(call.Name)}, \"{Arguments}\": {call.Arguments.GetRawText()}}}\n{Close}";

    /// <summary>Output that is a call of one of these tools.</summary>
    /// <param name="otherwise">What it may be instead; null: nothing.</param>
    /// <exception cref="ArgumentException">A tool's parameters are no schema.</exception>
    /// <exception cref="NotSupportedException">A tool's parameters use what constrained output does not support; says what.</exception>
    public JsonConstraint Constraint(IReadOnlyList<ToolDefinition> tools, JsonConstraint? otherwise = null)
    {
        bool spaced = Close.Length > 0;
        return JsonConstraint.OfCalls(
            [.. tools.Select(tool => (tool.Name, tool.Parameters))], Arguments, spaced ? Open + "\n" : Open, spaced ? "\n" + Close : Close,
            IsList, tokenizer, otherwise);
    }

    /// <summary>A call that was read; null where the text is none.</summary>
    public static ToolCall? Read(JsonElement call, string id)
    {
        if (call.ValueKind != JsonValueKind.Object || !call.TryGetProperty("name", out var name) || name.ValueKind != JsonValueKind.String
            || name.GetString() is not { Length: > 0 } called) return null;
        if (!call.TryGetProperty("arguments", out var arguments) && !call.TryGetProperty("parameters", out arguments)) return null;
        return arguments.ValueKind == JsonValueKind.Object && WrittenText.IsText(arguments)
            ? new ToolCall(id, called, arguments.Clone()) : null;
    }

    private int? IdOf(string mark) => tokenizer.IdOf(mark) is { } id && tokenizer.IsAdded(id) ? id : null;

    private static string? Render(ChatEncoder encoder, bool withCall)
    {
        var parameters = JsonElement.Parse("""{"type": "object", "properties": {"value": {"type": "string"}}}""");
        var tools = ToolDefinition.ForTemplate([new ToolDefinition(ProbeTool, "A tool.", parameters)]);
        var arguments = JsonSerializer.SerializeToElement(new Dictionary<string, string> { [ProbeArgument] = "value" });
        // Nine characters: some templates want call ids so. The result has another name: only the call is to be found by its own.
        ChatMessage[] messages = withCall
            ? [ChatMessage.User("a"), ChatMessage.Assistant("") with { ToolCalls = [new ToolCall("abcdefghi", ProbeCall, arguments)] },
                ChatMessage.Tool("c", "abcdefghi", ProbeTool)]
            : [ChatMessage.User("a")];
        try
        {
            return encoder.RenderPrompt(messages, new Dictionary<string, JsonElement> { ["tools"] = tools });
        }
        catch (TemplateException)
        {
            return null; // it knows no such chats
        }
    }
}
