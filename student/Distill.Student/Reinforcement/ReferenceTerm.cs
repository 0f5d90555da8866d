namespace Distill.Student.Reinforcement;

/// <summary>What a policy loss adds for the distance from the reference: β·k3 per token.</summary>
/// <param name="Weight">β.</param>
/// <param name="Corrected">
/// Weigh k3 by the token's own ratio π / π_sampled: k3 estimates KL(π‖reference) at tokens of π, and the rollouts' tokens are the sampler's
/// (DeepSeek-V3.2 2025, arXiv 2512.02556).
/// </param>
public sealed record ReferenceTerm(double Weight, bool Corrected = false)
{
    /// <returns>The term and its derivative by <paramref name="logProbability"/>.</returns>
    public (double Value, double Slope) Of(double reference, double logProbability, double sampled)
    {
        double value = ReferenceEstimate.Of(reference, logProbability), slope = ReferenceEstimate.Slope(reference, logProbability);
        if (!Corrected) return (Weight * value, Weight * slope);
        double ratio = Math.Exp(logProbability - sampled);
        return (Weight * ratio * value, Weight * ratio * (value + slope));
    }
}
