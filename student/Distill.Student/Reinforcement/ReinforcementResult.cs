namespace Distill.Student.Reinforcement;

/// <summary>Sampled accuracy on the held-out problems before the first update and at the best one.</summary>
/// <param name="BestStep">0 when no update did better than the start.</param>
/// <param name="Steps">Updates made: fewer than planned when an alarm ended the training.</param>
/// <param name="Findings">What the alarms found, by step.</param>
public sealed record ReinforcementResult(double Before, double Best, int BestStep, int Steps, IReadOnlyList<Monitoring.AlarmFinding> Findings)
{
    /// <summary>Tokens sampled to learn from, over all updates.</summary>
    public long CompletionTokens { get; init; }
}
