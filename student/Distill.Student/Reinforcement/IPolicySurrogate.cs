namespace Distill.Student.Reinforcement;

/// <summary>What a token of a rollout costs, given how much likelier it has become. Immutable, thread-safe.</summary>
public interface IPolicySurrogate
{
    /// <param name="ratio">ρ = π / π_sampled, of the token or of its whole completion.</param>
    /// <param name="logProbability">log π of the token.</param>
    SurrogateValue Of(double ratio, double advantage, double logProbability);
}

/// <param name="Loss">Before normalisation.</param>
/// <param name="Slope">Derivative by log π of the token, the way through the ratio included.</param>
public readonly record struct SurrogateValue(double Loss, double Slope);
