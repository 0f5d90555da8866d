using Distill.Pipeline.Recipes.Binding;
using Distill.Teacher.Remote.Calls;
using Distill.Teacher.Remote.Endpoint;
using Distill.Teacher.Remote.Network;

namespace Distill.Pipeline.Recipes.Sections;

/// <summary>The keys of a model behind an OpenAI-compatible endpoint. The API key itself is never in a recipe.</summary>
internal abstract record EndpointSection : Section
{
    private string endpoint = "";

    [Option("address up to and without `/chat/completions`, no query; makes the model one that runs elsewhere", Default = "none")]
    public string Endpoint
    {
        get => endpoint;
        init => endpoint = value.TrimEnd('/');
    }

    [Option("environment variable that holds the API key; the key itself never stands in a recipe", Default = "none",
        DecidesResult = false)]
    public string? ApiKeyEnv { get; init; }

    [Option("where the endpoint lies: `public` (https only), `loopback` (this machine) or `private` (RFC 1918 and the like, or this "
        + "machine); "
        + "http is allowed in the last two", DecidesResult = false)]
    public NetworkScope Network { get; init; } = NetworkScope.Public;

    [Option("requests under way at once", Minimum = 1, Maximum = 1024, DecidesResult = false)]
    public int Concurrency { get; init; } = 4;

    [Option("attempts in any 60 s; 0: no limit", Minimum = 0, Maximum = 1_000_000, DecidesResult = false)]
    public int RequestsPerMinute { get; init; }

    [Option("prompt and completion tokens in any 60 s; 0: no limit. An attempt counts with the most it can take, and with what it took "
        + "once it is known",
        Minimum = 0, Maximum = 1_000_000_000, Unit = "tokens", DecidesResult = false)]
    public int TokensPerMinute { get; init; }

    [Option("for one attempt, to the end of its answer", Minimum = 1, Maximum = 86_400, Unit = "seconds", DecidesResult = false)]
    public int AttemptTimeout { get; init; } = 600;

    [Option("further attempts after 408, 429, 5xx, a broken connection or answer, or a timeout; waits grow from 2 s to a minute, or are "
        + "what "
        + "`Retry-After` says (up to an hour)", Minimum = 0, Maximum = 100, DecidesResult = false)]
    public int Retries { get; init; } = 6;

    [Option("after which a request without an answer is sent once more; both may be billed; 0: never",
        Minimum = 0, Maximum = 86_400, Unit = "seconds", DecidesResult = false)]
    public int HedgeAfter { get; init; }

    [Option("price of a million prompt tokens, in any currency; for counting only", Minimum = 0, Maximum = 100_000, DecidesResult = false)]
    public double PromptPrice { get; init; }

    [Option("price of a million completion tokens, reasoning included", Minimum = 0, Maximum = 100_000, DecidesResult = false)]
    public double CompletionPrice { get; init; }

    [Option("ask for answers piece by piece, so that long reasoning does not idle out", DecidesResult = false)]
    public bool Stream { get; init; } = true;

    [Option("what the endpoint calls the longest completion", DecidesResult = false)]
    public TokenLimitName TokenLimit { get; init; } = TokenLimitName.MaxTokens;

    internal virtual TokenPrices Prices => new((decimal)PromptPrice, (decimal)CompletionPrice);

    public override IEnumerable<Rule> Rules(Recipe recipe)
    {
        foreach (var fault in Endpoint.Length == 0 ? [] : EndpointRule.Faults(Endpoint, Network))
            yield return Rule.Require(false, nameof(Endpoint), fault.Fault, fault.Remedy) with { ShowsValue = fault.ShowsValue };
        yield return Rule.Require(ApiKeyEnv is null || ApiKey.IsVariableName(ApiKeyEnv), nameof(ApiKeyEnv),
            "not the name of an environment variable (not shown, it may be the key itself)",
            "write a name of capitals, digits and _, and put the key into that variable") with { ShowsValue = false };
    }

    /// <summary>The key out of the environment; null where none is named.</summary>
    /// <exception cref="InvalidDataException">The variable is not set.</exception>
    internal ApiKey? ReadKey() => ApiKeyEnv is { } variable ? ApiKey.FromEnvironment(variable) : null;

    internal virtual EndpointOptions ToOptions(string model) =>
        new() { Address = Endpoint, Model = model, Network = Network, Streams = Stream, TokenLimit = TokenLimit };

    internal CallOptions ToCalls() => new()
    {
        Concurrency = Concurrency,
        Retries = Retries,
        AttemptTimeout = TimeSpan.FromSeconds(AttemptTimeout),
        RequestsPerMinute = RequestsPerMinute,
        TokensPerMinute = TokensPerMinute,
        HedgeAfter = HedgeAfter > 0 ? TimeSpan.FromSeconds(HedgeAfter) : null,
    };
}
