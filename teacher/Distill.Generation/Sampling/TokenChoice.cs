namespace Distill.Generation;

/// <summary>A chosen token and what the two distributions say of it.</summary>
/// <param name="LogProbability">Under the raw distribution (temperature 1, nothing added or removed).</param>
/// <param name="ProcessedLogProbability">Under the distribution it was drawn from; 0 when greedy, which leaves no choice.</param>
/// <param name="KeptMass">
/// Probability that the truncating filters (top-k, top-p, min-p; greedy keeps one token) left, after bias, penalty and temperature.
/// </param>
public readonly record struct TokenChoice(int Token, float LogProbability, float ProcessedLogProbability, float KeptMass);
