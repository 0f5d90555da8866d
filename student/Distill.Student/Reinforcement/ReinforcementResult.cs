namespace Distill.Student.Reinforcement;

/// <summary>Sampled accuracy on the held-out problems before the first update and at the best one.</summary>
/// <param name="BestStep">0 when no update did better than the start.</param>
public sealed record ReinforcementResult(double Before, double Best, int BestStep);
