using Distill.Evaluation.Statistics;
using Distill.Generation;

namespace Distill.Evaluation.Strategies;

/// <summary>Accuracy against tokens spent, for one model and one strategy.</summary>
/// <param name="Levels">The greedy answer first, then the strategy's levels, cheapest first.</param>
/// <param name="Totals">What was generated in all, the greedy answers included.</param>
public sealed record StrategyReport(string Model, string Strategy, int Problems, IReadOnlyList<StrategyLevel> Levels, GenerationProgress Totals);

/// <summary>One point of the curve.</summary>
/// <param name="Accuracy">Share of problems solved.</param>
/// <param name="Interval95">Wilson's interval.</param>
/// <param name="MeanTokens">Generated tokens per problem, discarded ones included.</param>
/// <param name="Gain">Accuracy less that of the greedy answer, over the same problems; null for the greedy answer itself.</param>
/// <param name="GainInterval95">Paired bootstrap over problems.</param>
/// <param name="P">Two-sided, of that bootstrap.</param>
public sealed record StrategyLevel(
    string Name, double Accuracy, Interval Interval95, double MeanTokens, double? Gain, Interval? GainInterval95, double? P);
