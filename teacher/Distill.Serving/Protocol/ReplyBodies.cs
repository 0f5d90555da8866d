using System.Text.Json.Serialization;
using Distill.Tokenization;

namespace Distill.Serving.Protocol;

/// <summary>Answer of <c>/v1/chat/completions</c>.</summary>
internal sealed record ChatBody(string Id, long Created, string Model, IReadOnlyList<ChatChoice> Choices, Usage Usage)
{
    public string Object { get; } = "chat.completion";
}

internal sealed record ChatChoice(
    int Index, ChatReplyMessage Message, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] ChatLogProbabilities? Logprobs,
    string FinishReason);

/// <param name="ReasoningContent">What the model thought before it answered; absent when it did not.</param>
/// <param name="Content">Null where the reply is calls alone.</param>
internal sealed record ChatReplyMessage(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Content, string? ReasoningContent,
    IReadOnlyList<ChatCall>? ToolCalls = null)
{
    public string Role { get; } = "assistant";
}

/// <summary>A piece of a streamed answer.</summary>
internal sealed record ChatChunk(string Id, long Created, string Model, IReadOnlyList<ChatChunkChoice> Choices, Usage? Usage = null)
{
    public string Object { get; } = "chat.completion.chunk";
}

internal sealed record ChatChunkChoice(
    int Index,
    ChatDelta Delta,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] ChatLogProbabilities? Logprobs,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? FinishReason);

internal sealed record ChatDelta(
    string? Role = null, string? Content = null, string? ReasoningContent = null, IReadOnlyList<ChatCall>? ToolCalls = null);

/// <param name="Index">Among the calls of a reply; in streams alone.</param>
internal sealed record ChatCall(string Id, ChatCallFunction Function, int? Index = null)
{
    public string Type { get; } = "function";

    public static ChatCall Of(ToolCall call, int? index = null) =>
        new(call.Id, new ChatCallFunction(call.Name, call.Arguments.GetRawText()), index);
}

/// <param name="Arguments">JSON.</param>
internal sealed record ChatCallFunction(string Name, string Arguments);

/// <param name="Content">Every generated token: those of the reasoning, the marks and the token that ended the reply included.</param>
internal sealed record ChatLogProbabilities(IReadOnlyList<ChatTokenLogProbability> Content);

internal sealed record ChatTokenLogProbability(
    string Token, double Logprob, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] IReadOnlyList<int>? Bytes,
    IReadOnlyList<ChatTopLogProbability> TopLogprobs);

internal sealed record ChatTopLogProbability(
    string Token, double Logprob, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] IReadOnlyList<int>? Bytes);

/// <summary>Answer of <c>/v1/completions</c>, whole or a piece of a stream.</summary>
internal sealed record CompletionBody(string Id, long Created, string Model, IReadOnlyList<CompletionChoice> Choices, Usage? Usage = null)
{
    public string Object { get; } = "text_completion";
}

internal sealed record CompletionChoice(
    int Index,
    string Text,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] CompletionLogProbabilities? Logprobs,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? FinishReason);

/// <summary>Arrays of one length: an entry per token, the prompt's first when it is echoed; null where nothing precedes a token.</summary>
/// <param name="TopLogprobs">Spelling of a token → its log-probability; the token itself is always among them.</param>
/// <param name="TextOffset">Code points before the token in the text.</param>
internal sealed record CompletionLogProbabilities(
    IReadOnlyList<string> Tokens, IReadOnlyList<double?> TokenLogprobs, IReadOnlyList<IReadOnlyDictionary<string, double>?> TopLogprobs,
    IReadOnlyList<int> TextOffset);
