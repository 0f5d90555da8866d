namespace Distill.Student.Training;

/// <summary>What one optimiser step did.</summary>
/// <param name="Step">1 for the first.</param>
/// <param name="Steps">Planned steps.</param>
/// <param name="Loss">Of the step's whole batch, before the update.</param>
/// <param name="GradientNorm">Before clipping.</param>
/// <param name="Entropy">Mean entropy of the predicted distributions at learned tokens, in nats.</param>
/// <param name="Tokens">Read by the step, prompts included.</param>
/// <param name="LearnedTokens">Of these, learned.</param>
/// <param name="Seconds">Wall time of the step.</param>
public sealed record StepReport(
    int Step, int Steps, double Loss, double GradientNorm, double LearningRate, double Entropy, long Tokens, long LearnedTokens, double Seconds)
{
    /// <summary>Share of the learned tokens that the model held the likeliest, before the update.</summary>
    public double Accuracy { get; init; }

    /// <summary>What the look at the held-out examples after this step gave; null when there was none.</summary>
    public double? HeldOut { get; init; }
}
