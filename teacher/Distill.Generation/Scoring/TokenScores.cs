namespace Distill.Generation;

/// <summary>What a model thinks of a given sequence.</summary>
/// <param name="LogProbabilities">[tokens − 1]: raw log-probability (nats) of every token but the first, given those before it.</param>
/// <param name="Top">Alternatives at the same positions; null unless asked for.</param>
public sealed record TokenScores(IReadOnlyList<double> LogProbabilities, TopLogProbabilities? Top);
