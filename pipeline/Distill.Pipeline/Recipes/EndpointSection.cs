using Distill.Teacher.Remote.Calls;
using Distill.Teacher.Remote.Endpoint;
using Distill.Teacher.Remote.Network;

namespace Distill.Pipeline.Recipes;

/// <summary>The keys of <c>teacher</c> that make it a model behind an OpenAI-compatible endpoint. The key itself is never in a recipe.</summary>
public sealed record EndpointSection
{
    /// <summary>E.g. <c>https://api.example.com/v1</c>. Its presence makes the teacher a remote one.</summary>
    public required string Endpoint { get; init; }

    /// <summary>Name of the environment variable with the API key; null when the endpoint wants none.</summary>
    public string? ApiKeyEnv { get; init; }

    /// <summary>Where the endpoint lies. Default public, which is https only.</summary>
    public NetworkScope Network { get; init; }

    /// <summary>System message put before every problem, e.g. the form of the answer. Default none.</summary>
    public string Instructions { get; init; } = "";

    /// <summary>Requests under way at once. 1..1,024, default 4.</summary>
    public int Concurrency { get; init; }

    /// <summary>Attempts in any 60 s. Default 0: no limit.</summary>
    public int RequestsPerMinute { get; init; }

    /// <summary>Tokens of prompts and completions in any 60 s. Default 0: no limit.</summary>
    public int TokensPerMinute { get; init; }

    /// <summary>Seconds for one attempt, to the end of its answer. 1..86,400, default 600.</summary>
    public int AttemptTimeout { get; init; }

    /// <summary>Further attempts after a fault that may pass. 0..100, default 6.</summary>
    public int Retries { get; init; }

    /// <summary>Seconds without an answer after which the request is sent once more; both may be billed. 0..86,400, default 0: never.</summary>
    public int HedgeAfter { get; init; }

    /// <summary>Price of a million prompt tokens; for counting only. Default 0.</summary>
    public double PromptPrice { get; init; }

    /// <summary>Price of a million completion tokens, reasoning included. Default 0.</summary>
    public double CompletionPrice { get; init; }

    /// <summary>Whether each sample's seed is sent. Default true.</summary>
    public bool SendSeed { get; init; }

    /// <summary>Whether answers are asked for piece by piece. Default true.</summary>
    public bool Stream { get; init; }

    /// <summary>What the endpoint calls the longest completion. Default max_tokens.</summary>
    public TokenLimitName TokenLimit { get; init; }

    internal TokenPrices Prices => new((decimal)PromptPrice, (decimal)CompletionPrice);

    internal EndpointOptions ToOptions(string model) => new() { Address = Endpoint, Model = model, Network = Network, Streams = Stream, TokenLimit = TokenLimit };

    internal CallOptions ToCalls() => new()
    {
        Concurrency = Concurrency,
        Retries = Retries,
        AttemptTimeout = TimeSpan.FromSeconds(AttemptTimeout),
        RequestsPerMinute = RequestsPerMinute,
        TokensPerMinute = TokensPerMinute,
        HedgeAfter = HedgeAfter > 0 ? TimeSpan.FromSeconds(HedgeAfter) : null,
    };

    /// <returns>Null when the section names no endpoint.</returns>
    internal static EndpointSection? Bind(SectionReader reader)
    {
        if (!reader.Has("endpoint"))
        {
            foreach (string key in Keys.Where(reader.Has)) reader.Refuse(key, "only a teacher at an endpoint has it", "give teacher.endpoint, or leave it out", showsValue: false);
            return null;
        }

        var section = new EndpointSection
        {
            Endpoint = reader.Text("endpoint", null).TrimEnd('/'),
            ApiKeyEnv = reader.Has("api_key_env") ? reader.Text("api_key_env", "") is { Length: > 0 } variable ? variable : null : null,
            Network = reader.Choice("network", NetworkScope.Public),
            Instructions = reader.Text("instructions", ""),
            Concurrency = reader.Integer("concurrency", 4, 1, 1024),
            RequestsPerMinute = reader.Integer("requests_per_minute", 0, 0, 1_000_000),
            TokensPerMinute = reader.Integer("tokens_per_minute", 0, 0, 1_000_000_000),
            AttemptTimeout = reader.Integer("attempt_timeout", 600, 1, 86_400),
            Retries = reader.Integer("retries", 6, 0, 100),
            HedgeAfter = reader.Integer("hedge_after", 0, 0, 86_400),
            PromptPrice = reader.Number("prompt_price", 0, 0, 100_000),
            CompletionPrice = reader.Number("completion_price", 0, 0, 100_000),
            SendSeed = reader.Flag("send_seed", true),
            Stream = reader.Flag("stream", true),
            TokenLimit = reader.Choice("token_limit", TokenLimitName.MaxTokens),
        };
        section.Check(reader);
        return section;
    }

    private static readonly string[] Keys =
    [
        "api_key_env", "network", "instructions", "concurrency", "requests_per_minute", "tokens_per_minute", "attempt_timeout", "retries", "hedge_after", "prompt_price",
        "completion_price", "send_seed", "stream", "token_limit",
    ];

    private void Check(SectionReader reader)
    {
        foreach (var fault in Endpoint.Length == 0 ? [] : EndpointRule.Faults(Endpoint, Network)) reader.Refuse("endpoint", fault.Fault, fault.Remedy, fault.ShowsValue);
        if (ApiKeyEnv is { } variable && !ApiKey.IsVariableName(variable))
            reader.Refuse("api_key_env", "not the name of an environment variable (not shown, it may be the key itself)", "write a name of capitals, digits and _, and put the key into that variable", showsValue: false);
    }
}
