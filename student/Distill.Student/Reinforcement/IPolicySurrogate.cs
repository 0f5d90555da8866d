using Distill.Student.Training;

namespace Distill.Student.Reinforcement;

/// <summary>What a token of a rollout costs, given how much likelier it has become. Immutable, thread-safe.</summary>
public interface IPolicySurrogate
{
    /// <param name="ratio">ρ = π / π_sampled, of the token or of its whole completion.</param>
    /// <param name="logProbability">log π of the token; only the loss and <see cref="SurrogateValue.TokenSlope"/> may depend on it.</param>
    SurrogateValue Of(double ratio, double advantage, double logProbability);

    /// <summary>Whether a bound keeps the token from being pushed further.</summary>
    ClippedSide Clips(double ratio, double advantage) => ClippedSide.None;

    /// <summary>Adds what tells this surrogate from others, so that a state is not continued with another one.</summary>
    void AddTo(TrainingDigest digest);
}

/// <summary>The two slopes are apart because tokens may share one ratio, which then moves with each of them.</summary>
/// <param name="Loss">Before normalisation.</param>
/// <param name="RatioSlope">Derivative by log ρ.</param>
/// <param name="TokenSlope">Derivative by log π of the token, ρ held fixed.</param>
public readonly record struct SurrogateValue(double Loss, double RatioSlope, double TokenSlope = 0);
