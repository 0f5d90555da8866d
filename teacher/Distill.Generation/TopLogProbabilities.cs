namespace Distill.Generation;

/// <summary>
/// The most probable alternatives at every position of a sequence, best first, flattened: entry position × <see cref="Count"/> + rank.
/// Immutable.
/// </summary>
/// <param name="Count">Alternatives per position: k, or the vocabulary when that is smaller.</param>
/// <param name="Ids">[positions × count]</param>
/// <param name="LogProbabilities">[positions × count], under the raw distribution.</param>
/// <param name="Processed">[positions × count], under the distribution that was drawn from, −∞ where removed; empty for scored text.</param>
public sealed record TopLogProbabilities(
    int Count, IReadOnlyList<int> Ids, IReadOnlyList<float> LogProbabilities, IReadOnlyList<float> Processed);
