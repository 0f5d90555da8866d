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

    /// <summary>Longest answer in bytes, framing included. Default 64 MiB.</summary>
    public long MaxResponseBytes { get; init; } = 64 << 20;

    /// <summary>Everything wrong, one sentence each; empty when the options can be used.</summary>
    public IReadOnlyList<string> FindProblems()
    {
        List<string> problems =
            [.. EndpointRule.Faults(Address, Network).Select(fault => $"{nameof(Address)}{(fault.ShowsValue ? $" '{Address}'" : "")}: {fault.Fault}; {fault.Remedy}.")];
        if (string.IsNullOrWhiteSpace(Model)) problems.Add($"{nameof(Model)} is empty; give the name that the endpoint knows.");
        if (MaxResponseBytes < 1) problems.Add($"{nameof(MaxResponseBytes)} {MaxResponseBytes}: allowed is 1 and more.");
        return problems;
    }
}
