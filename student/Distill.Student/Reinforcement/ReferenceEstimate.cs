namespace Distill.Student.Reinforcement;

/// <summary>
/// k3 = exp(d) − d − 1 with d = log π_reference − log π, at a token drawn from π: an estimate of KL(π‖reference) that is unbiased and never
/// negative (Schulman 2020, "Approximating KL divergence").
/// </summary>
internal static class ReferenceEstimate
{
    /// <returns>Nats.</returns>
    public static double Of(double reference, double logProbability)
    {
        double distance = reference - logProbability;
        return Math.Exp(distance) - distance - 1;
    }

    /// <returns>Derivative by <paramref name="logProbability"/>.</returns>
    public static double Slope(double reference, double logProbability) => 1 - Math.Exp(reference - logProbability);
}
