using System.Text.Json.Serialization;

namespace Distill.Serving.Protocol;

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
    IReadOnlyList<string> Tokens, IReadOnlyList<double?> TokenLogprobs, IReadOnlyList<IReadOnlyDictionary<string, double>?> TopLogprobs, IReadOnlyList<int> TextOffset);
