namespace Distill.Generation;

/// <summary>A chosen token and its log-probability under the raw distribution (temperature 1, nothing removed).</summary>
public readonly record struct TokenChoice(int Token, float LogProbability);
