namespace Distill.Evaluation.Strategies;

/// <summary>What a strategy answers when it stops at one point of its budget, and what it had generated until then.</summary>
/// <param name="Answer">Null: none.</param>
/// <param name="Tokens">Generated tokens, those of discarded samples and drafts included.</param>
public readonly record struct StrategyAnswer(string? Answer, long Tokens);
