namespace Distill.Generation;

/// <summary>What a model thinks of given tokens.</summary>
/// <param name="LogProbabilities">[tokens − 1]: raw log-probability of every token but the first, given those before it.</param>
/// <param name="Top">Alternatives at the same positions; null unless asked for.</param>
public sealed record PromptScores(IReadOnlyList<float> LogProbabilities, TopLogProbabilities? Top);
