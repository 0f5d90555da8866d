using System.Text;
using Microsoft.Extensions.AI;

namespace Distill.Teacher.Remote.Endpoint;

/// <summary>A completion, or a piece of one.</summary>
/// <param name="Finish">Null until the last piece.</param>
/// <param name="Usage">Of the whole completion so far, whichever piece it comes with; null where the server does not say.</param>
internal sealed record ReplyChunk(string Reasoning, string Content, ChatFinishReason? Finish, UsageDetails? Usage)
{
    /// <summary>What the model says in place of an answer, or the server of a question that its filter refuses; else empty.</summary>
    public string Refusal { get; init; } = "";

    public ReplyToolCall? ToolCall { get; init; }

    /// <summary>Null where the server gives no token ids.</summary>
    public ReplyTokens? Tokens { get; init; }
}

/// <summary>A tool that the model wants called, in pieces like text.</summary>
internal sealed record ReplyToolCall(string Name, string Arguments);

/// <summary>Pieces of an answer → the whole of it. One per answer; not thread-safe.</summary>
/// <param name="key">Blotted out of every text.</param>
internal sealed class ReplyAssembly(ApiKey? key)
{
    /// <summary>Code of an <see cref="ErrorContent"/> that holds what a model or a filter said in place of an answer.</summary>
    public const string RefusalCode = "refusal";

    /// <summary>Name of the additional property that holds the <see cref="ReplyTokens"/>.</summary>
    public const string TokensProperty = "distill.tokens";

    private readonly StringBuilder reasoning = new(), content = new(), refusal = new(), toolName = new(), toolArguments = new();
    private readonly ReplyTokens tokens = new();
    private ChatFinishReason? finish;
    private UsageDetails? usage;

    public void Add(ReplyChunk piece)
    {
        reasoning.Append(piece.Reasoning);
        content.Append(piece.Content);
        refusal.Append(piece.Refusal);
        toolName.Append(piece.ToolCall?.Name);
        toolArguments.Append(piece.ToolCall?.Arguments);
        if (piece.Tokens is { } scored) tokens.Add(scored);
        (finish, usage) = (piece.Finish ?? finish, piece.Usage ?? usage); // some servers count along: only the last count is the whole
    }

    public ChatResponse ToResponse(string model)
    {
        List<AIContent> contents = [];
        if (reasoning.Length > 0) contents.Add(new TextReasoningContent(Clean(reasoning)));
        contents.Add(new TextContent(Clean(content)));
        contents.AddRange(Aside());
        var response = new ChatResponse(new ChatMessage(ChatRole.Assistant, contents))
        {
            FinishReason = finish, Usage = usage, ModelId = model,
        };
        if (tokens.Count > 0) response.AdditionalProperties = new() { [TokensProperty] = tokens };
        return response;
    }

    /// <summary>What is no text: a refusal, a call of a tool.</summary>
    public IEnumerable<AIContent> Aside()
    {
        if (refusal.Length > 0) yield return new ErrorContent(Clean(refusal)) { ErrorCode = RefusalCode };
        if (toolName.Length + toolArguments.Length > 0)
            yield return new FunctionCallContent(
                "call", Clean(toolName), new Dictionary<string, object?> { ["arguments"] = Clean(toolArguments) });
    }

    private string Clean(StringBuilder text) => key?.Redact(text.ToString()) ?? text.ToString();
}
