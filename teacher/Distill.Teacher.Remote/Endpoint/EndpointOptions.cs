using System.Net.Http.Headers;
using Distill.Teacher.Remote.Network;

namespace Distill.Teacher.Remote.Endpoint;

/// <summary>An OpenAI-compatible endpoint and how it likes to be asked.</summary>
public sealed record EndpointOptions
{
    /// <summary>Up to and without <c>/chat/completions</c>, e.g. <c>https://api.example.com/v1</c>.</summary>
    public required string Address { get; init; }

    /// <summary>What the endpoint calls the model.</summary>
    public required string Model { get; init; }

    public NetworkScope Network { get; init; } = NetworkScope.Public;

    /// <summary>Ask for the answer piece by piece, so that nothing between idles out while a model reasons. Default true.</summary>
    public bool Streams { get; init; } = true;

    public TokenLimitName TokenLimit { get; init; } = TokenLimitName.MaxTokens;

    /// <summary>
    /// Ask a server of vLLM for token ids and log-probabilities, with so many alternatives beside each token. 0..1,024; null, the default:
    /// for text alone.
    /// </summary>
    public int? TokenAlternatives { get; init; }

    /// <summary>Longest answer in bytes, framing included. Default 64 MiB.</summary>
    public long MaxResponseBytes { get; init; } = 64 << 20;

    /// <summary>Everything wrong, one sentence each; empty when the options can be used.</summary>
    public IReadOnlyList<string> FindProblems()
    {
        List<string> problems =
            [.. EndpointRule.Faults(Address, Network)
                .Select(fault => $"{nameof(Address)}{(fault.ShowsValue ? $" '{Address}'" : "")}: {fault.Fault}; {fault.Remedy}.")];
        if (string.IsNullOrWhiteSpace(Model)) problems.Add($"{nameof(Model)} is empty; give the name that the endpoint knows.");
        if (TokenAlternatives is < 0 or > 1024)
            problems.Add($"{nameof(TokenAlternatives)} {TokenAlternatives}: allowed is 0..1,024, or nothing.");
        if (MaxResponseBytes < 1) problems.Add($"{nameof(MaxResponseBytes)} {MaxResponseBytes}: allowed is 1 and more.");
        return problems;
    }
}

/// <summary>What an endpoint calls the longest completion.</summary>
public enum TokenLimitName
{
    /// <summary>Nearly all endpoints. The default.</summary>
    MaxTokens,

    /// <summary>OpenAI's reasoning models, which refuse the other.</summary>
    MaxCompletionTokens,
}

/// <summary>
/// A key that lives in memory only: it comes from an environment variable, goes into one header, and has no other way out. A class and not
/// a record, so that nothing prints it. Thread-safe.
/// </summary>
public sealed class ApiKey
{
    // What is shorter is no secret (local servers take "none" or "EMPTY"), and blotting it out would spoil plain text.
    private const int ShortestSecret = 8;
    private const string Blot = "***";

    private readonly string value;

    private ApiKey(string variable, string value) => (Variable, this.value) = (variable, value);

    /// <summary>Name of the environment variable.</summary>
    public string Variable { get; }

    internal AuthenticationHeaderValue Header => new("Bearer", value);

    /// <summary>For services that want it in a header of their own.</summary>
    internal void AddTo(HttpRequestMessage request, string header) => request.Headers.TryAddWithoutValidation(header, value);

    /// <param name="read">Where variables come from; default: the process.</param>
    /// <exception cref="InvalidDataException">
    /// The variable is not set, or holds what no header can carry. The value is not in the message.
    /// </exception>
    public static ApiKey FromEnvironment(string variable, Func<string, string?>? read = null)
    {
        string? value = (read ?? Environment.GetEnvironmentVariable)(variable)?.Trim();
        if (string.IsNullOrEmpty(value))
            throw new InvalidDataException($"The environment variable {variable} is not set: put the teacher's API key into it.");
        return value.All(c => c is > ' ' and <= '~')
            ? new ApiKey(variable, value)
            : throw new InvalidDataException(
                $"The environment variable {variable} holds spaces or characters that are not ASCII: it is no API key.");
    }

    /// <summary>
    /// Whether a text can be the name of a variable, and hardly a key that someone pasted: capitals, digits and <c>_</c>.
    /// </summary>
    public static bool IsVariableName(string text) =>
        text.Length is > 0 and <= 128 && !char.IsAsciiDigit(text[0])
            && text.All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c) || c == '_');

    /// <summary>A text with the key blotted out: endpoints repeat it in their complaints.</summary>
    public string Redact(string text) => value.Length < ShortestSecret ? text : text.Replace(value, Blot, StringComparison.Ordinal);

    public override string ToString() => $"key in {Variable}";
}
