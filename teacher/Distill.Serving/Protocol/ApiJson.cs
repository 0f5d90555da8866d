using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Distill.Serving.Protocol;

/// <summary>How bodies are spelled: snake case, absent where null unless a type says otherwise.</summary>
internal static class ApiJson
{
    public static JsonSerializerOptions Options { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        MaxDepth = 128, // what was asked is said again within what answers, and bodies may be 64 deep
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // application/json, never put into HTML
    };

    /// <summary>JSON has no infinity; OpenAI writes this for a probability of nothing.</summary>
    public static double Finite(double logProbability) => Math.Max(logProbability, -9999);
}

/// <summary>A request that is answered with an error.</summary>
/// <param name="status">HTTP status.</param>
/// <param name="type">As OpenAI names kinds of errors, e.g. <c>invalid_request_error</c>.</param>
/// <param name="parameter">The parameter that is wrong; null where none is.</param>
internal sealed class ApiException(
    int status, string type, string message, string? parameter = null, string? code = null) : Exception(message)
{
    public int Status => status;

    public string Type => type;

    public string? Parameter => parameter;

    public string? Code => code;

    public static ApiException Invalid(string? parameter, string message, string? code = null) =>
        new(400, "invalid_request_error", message, parameter, code);

    public static ApiException Busy() =>
        new(429, "rate_limit_error", "The server is busy: its queue is full. Try again later.", code: "queue_full");

    public ErrorBody ToBody() => new(new ErrorDetail(Message, Type, Parameter, Code));
}

internal sealed record ErrorBody(ErrorDetail Error);

internal sealed record ErrorDetail(
    string Message,
    string Type,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Param,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Code);

/// <summary>Tokens read and generated; a prompt counts once, however many completions it has.</summary>
internal sealed record Usage(int PromptTokens, int CompletionTokens, CompletionTokensDetails? CompletionTokensDetails = null)
{
    public int TotalTokens => PromptTokens + CompletionTokens;
}

/// <param name="ReasoningTokens">Of the tokens generated those of the reasoning, with its marks.</param>
internal sealed record CompletionTokensDetails(int ReasoningTokens);

/// <summary>Answer of <c>/v1/models</c>.</summary>
internal sealed record ModelList(IReadOnlyList<ModelEntry> Data)
{
    public string Object { get; } = "list";
}

/// <param name="MaxModelLen">Longest sequence served, prompt and completion together.</param>
internal sealed record ModelEntry(string Id, long Created, int MaxModelLen)
{
    public string Object { get; } = "model";

    public string OwnedBy { get; } = "distill";
}

/// <summary>Answer of <c>/health</c>.</summary>
/// <param name="Status"><c>ok</c>, or <c>failing</c> when the model failed the last request that ran to its end.</param>
/// <param name="Requests">HTTP requests being served or waiting, and how many may be.</param>
/// <param name="Waiting">Prompts waiting for a slot, and prompts being completed.</param>
internal sealed record HealthBody(string Status, string Model, int Requests, int MostRequests, int Waiting, int Running);
