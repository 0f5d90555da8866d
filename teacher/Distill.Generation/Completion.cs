namespace Distill.Generation;

/// <summary>Why a generation ended.</summary>
public enum StopReason
{
    /// <summary>One of the stop tokens was produced; it is the last token of the completion.</summary>
    StopToken,

    /// <summary>A stop string appeared in the decoded text.</summary>
    StopString,

    /// <summary>The token limit or the cache capacity was reached: the completion is truncated.</summary>
    Length,
}

/// <summary>What one generation produced.</summary>
/// <param name="Tokens">New tokens only, the stop token included.</param>
/// <param name="LogProbabilities">Log-probability of each token under the raw distribution (temperature 1, nothing removed).</param>
/// <param name="StopReason">Why it ended.</param>
/// <param name="Seed">The seed its sampler was started with.</param>
public sealed record Completion(IReadOnlyList<int> Tokens, IReadOnlyList<float> LogProbabilities, StopReason StopReason, ulong Seed);
