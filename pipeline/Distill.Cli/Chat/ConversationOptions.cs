using Distill.Generation;

namespace Distill.Cli.Chat;

/// <summary>How replies are made.</summary>
internal sealed record ConversationOptions
{
    /// <summary>System message; null for none.</summary>
    public string? System { get; init; }

    public SamplingOptions Sampling { get; init; } = SamplingOptions.Greedy;

    /// <summary>Longest reply, reasoning included.</summary>
    public int MaxTokens { get; init; } = 512;

    public ulong Seed { get; init; }
}
