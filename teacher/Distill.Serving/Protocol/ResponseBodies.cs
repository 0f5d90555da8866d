using System.Text.Json;
using System.Text.Json.Serialization;

namespace Distill.Serving.Protocol;

/// <summary>Answer of <c>/v1/responses</c>: the reply as items, and how it was asked for.</summary>
internal sealed record ResponseBody(string Id, long CreatedAt, string Model)
{
    public string Object { get; } = "response";

    /// <summary><c>in_progress</c>, <c>completed</c>, <c>incomplete</c> when its length cut it off.</summary>
    public string Status { get; init; } = "in_progress";

    public IReadOnlyList<ResponseItem> Output { get; init; } = [];

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public ResponseUsage? Usage { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public IncompleteDetails? IncompleteDetails { get; init; }

    /// <summary>Always null: a fault is an error of HTTP, or an event of its own.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public object? Error { get; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Instructions { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public int? MaxOutputTokens { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? PreviousResponseId { get; }

    public double Temperature { get; init; }

    public double TopP { get; init; }

    public bool ParallelToolCalls { get; init; }

    public required JsonElement ToolChoice { get; init; }

    public required JsonElement Tools { get; init; }

    public required JsonElement Text { get; init; }

    public required JsonElement Metadata { get; init; }

    public bool Store { get; }

    public string Truncation { get; } = "disabled";
}

/// <param name="Reason"><c>max_output_tokens</c>: the limit, or the room that the model has.</param>
internal sealed record IncompleteDetails(string Reason);

/// <summary>Tokens of a response. Nothing is kept from one request to the next, so none of the input was cached.</summary>
internal sealed record ResponseUsage(int InputTokens, int OutputTokens, OutputTokensDetails OutputTokensDetails)
{
    public InputTokensDetails InputTokensDetails { get; } = new(0);

    public int TotalTokens => InputTokens + OutputTokens;
}

internal sealed record InputTokensDetails(int CachedTokens);

/// <inheritdoc cref="CompletionTokensDetails"/>
internal sealed record OutputTokensDetails(int ReasoningTokens);

/// <summary>An item of a response: <c>reasoning</c>, <c>message</c> or <c>function_call</c>; what a kind does not have is absent.</summary>
internal sealed record ResponseItem(string Id, string Type, string Status)
{
    public string? Role { get; init; }

    public IReadOnlyList<ResponsePart>? Content { get; init; }

    /// <summary>Of reasoning: always empty, since its text is given whole.</summary>
    public IReadOnlyList<ResponsePart>? Summary { get; init; }

    public string? CallId { get; init; }

    public string? Name { get; init; }

    public string? Arguments { get; init; }
}

/// <param name="Type"><c>output_text</c> or <c>reasoning_text</c>.</param>
internal sealed record ResponsePart(string Type, string Text)
{
    public IReadOnlyList<object>? Annotations => Type == "output_text" ? [] : null;

    public IReadOnlyList<object>? Logprobs => Type == "output_text" ? [] : null;
}

/// <summary>An event of a streamed response; what a kind does not have is absent.</summary>
internal sealed record ResponseEvent(string Type, int SequenceNumber)
{
    public ResponseBody? Response { get; init; }

    public int? OutputIndex { get; init; }

    public int? ContentIndex { get; init; }

    public string? ItemId { get; init; }

    public ResponseItem? Item { get; init; }

    public ResponsePart? Part { get; init; }

    public string? Delta { get; init; }

    public string? Text { get; init; }

    public string? Name { get; init; }

    public string? Arguments { get; init; }

    public IReadOnlyList<object>? Logprobs { get; init; }
}

/// <summary>The last event of a streamed response that failed.</summary>
internal sealed record ResponseErrorEvent(
    int SequenceNumber, string Message,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Code,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Param)
{
    public string Type { get; } = "error";
}
