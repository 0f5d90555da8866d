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
/// <param name="Tokens">New tokens only, the stop token included, and those of a stop string.</param>
/// <param name="LogProbabilities">Log-probability of each token under the raw distribution (temperature 1, nothing removed).</param>
/// <param name="StopReason">Why it ended.</param>
/// <param name="Seed">The seed its sampler was started with.</param>
public sealed record Completion(IReadOnlyList<int> Tokens, IReadOnlyList<float> LogProbabilities, StopReason StopReason, ulong Seed)
{
    /// <summary>
    /// Log-probability of each token under the distribution it was drawn from (<see cref="TokenChoice.ProcessedLogProbability"/>).
    /// </summary>
    public IReadOnlyList<float> ProcessedLogProbabilities { get; init; } = [];

    /// <summary>Probability that the filters left at each token (<see cref="TokenChoice.KeptMass"/>).</summary>
    public IReadOnlyList<float> KeptMass { get; init; } = [];

    /// <summary>Alternatives to each token; null unless asked for.</summary>
    public TopLogProbabilities? Top { get; init; }

    /// <summary>Decoded text up to the stop string or the end; null unless asked for.</summary>
    public string? Text { get; init; }

    /// <summary>The stop string that ended it.</summary>
    public string? StopString { get; init; }

    /// <summary>What the model thought of the prompt; the same for every seed, null unless asked for.</summary>
    public TokenScores? Prompt { get; init; }
}

/// <summary>
/// The most probable alternatives at every position of a sequence, best first, flattened: entry position × <see cref="Count"/> + rank.
/// Immutable.
/// </summary>
/// <param name="Count">Alternatives per position: k, or the vocabulary when that is smaller.</param>
/// <param name="Ids">[positions × count]</param>
/// <param name="LogProbabilities">[positions × count], under the raw distribution.</param>
/// <param name="Processed">
/// [positions × count], under the distribution that was drawn from, −∞ where removed; empty for scored text.
/// </param>
public sealed record TopLogProbabilities(
    int Count, IReadOnlyList<int> Ids, IReadOnlyList<float> LogProbabilities, IReadOnlyList<float> Processed);

/// <summary>What a model thinks of a given sequence.</summary>
/// <param name="LogProbabilities">[tokens − 1]: raw log-probability (nats) of every token but the first, given those before it.</param>
/// <param name="Top">Alternatives at the same positions; null unless asked for.</param>
public sealed record TokenScores(IReadOnlyList<double> LogProbabilities, TopLogProbabilities? Top);
