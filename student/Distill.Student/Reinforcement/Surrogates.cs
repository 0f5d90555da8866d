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

/// <summary>Which bound of the probability ratio a token lies beyond.</summary>
public enum ClippedSide
{
    None,

    /// <summary>A bad token that has become much less likely.</summary>
    Low,

    /// <summary>A good token that has become much likelier.</summary>
    High,
}

/// <summary>
/// −min(ρ·A, clip(ρ, 1−low, 1+high)·A): PPO's clipped surrogate with an upper bound of its own (Schulman et al. 2017, arXiv 1707.06347; Yu
/// et al. 2025, arXiv 2503.14476). For a negative advantage ρ has no upper bound there; <paramref name="ratioCap"/> gives it one, which
/// bounds the importance weight of any token, however far sampler and trainer lie apart (TRL's <c>delta</c>).
/// </summary>
/// <param name="ratioCap">Largest ρ that counts; infinity for none.</param>
internal sealed class ClippedSurrogate(double clipLow, double clipHigh, double ratioCap = double.PositiveInfinity) : IPolicySurrogate
{
    public SurrogateValue Of(double ratio, double advantage, double logProbability)
    {
        bool capped = ratio > ratioCap;
        double free = (capped ? ratioCap : ratio) * advantage, clipped = Math.Clamp(ratio, 1 - clipLow, 1 + clipHigh) * advantage;
        // d ρ / d log π = ρ; a clipped token has no slope
        return new SurrogateValue(-Math.Min(free, clipped), free <= clipped && !capped ? -free : 0);
    }

    public ClippedSide Clips(double ratio, double advantage) =>
        advantage < 0 && ratio < 1 - clipLow ? ClippedSide.Low : advantage > 0 && ratio > 1 + clipHigh ? ClippedSide.High
        : ClippedSide.None;

    public void AddTo(TrainingDigest digest) => digest.Add("clipped").Add(clipLow, clipHigh, ratioCap);
}

/// <summary>
/// −min(ρ, cap)·A·log π with the weight held fixed: every token keeps a slope, and its importance weight is bounded (CISPO, MiniMax
/// 2025, arXiv 2506.13585).
/// </summary>
/// <param name="cap">Largest weight, e.g. 5.</param>
internal sealed class CappedWeightSurrogate(double cap) : IPolicySurrogate
{
    public SurrogateValue Of(double ratio, double advantage, double logProbability)
    {
        double slope = -Math.Min(ratio, cap) * advantage;
        return new SurrogateValue(slope * logProbability, RatioSlope: 0, slope);
    }

    public ClippedSide Clips(double ratio, double advantage) => advantage > 0 && ratio > cap ? ClippedSide.High : ClippedSide.None;

    public void AddTo(TrainingDigest digest) => digest.Add("capped weight").Add(cap);
}

/// <summary>
/// −A·4/τ·σ(τ·(ρ − 1)): a smooth gate instead of a clip. Its slope is that of −ρ·A where ρ = 1 and fades as ρ moves away, faster for a
/// larger τ; bad completions get the larger one, because pushing down one token raises all others (SAPO, Gao et al. 2025, arXiv
/// 2511.20347).
/// </summary>
/// <param name="positive">τ where the advantage is above 0.</param>
/// <param name="negative">τ elsewhere.</param>
internal sealed class SoftGateSurrogate(double positive = 1, double negative = 1.05) : IPolicySurrogate
{
    public SurrogateValue Of(double ratio, double advantage, double logProbability)
    {
        double steepness = advantage > 0 ? positive : negative, gate = 1 / (1 + Math.Exp(-steepness * (ratio - 1)));
        double slope = gate < 1 ? -advantage * 4 * gate * (1 - gate) * ratio : 0; // an infinite ratio has no slope
        return new SurrogateValue(-advantage * 4 / steepness * gate, slope);
    }

    public void AddTo(TrainingDigest digest) => digest.Add("soft gate").Add(positive, negative);
}

/// <summary>How a completion's weight grows and falls with its ratio ρ: e^λ·ρ^k·e^(−λ·ρ), 1 at ρ = 1, largest at ρ = k/λ.</summary>
/// <param name="Power">k.</param>
/// <param name="Decay">λ.</param>
internal sealed record GammaWeight(double Power, double Decay)
{
    // Ratios beyond weigh as these, so that one token of a stale rollout cannot make the logarithm infinite.
    private const double LeastRatio = 1e-8, LargestLogarithm = 20;

    public double At(double ratio)
    {
        double logarithm = Math.Min(Math.Log(Math.Max(ratio, LeastRatio)), LargestLogarithm);
        return Math.Exp(Decay + (Power * logarithm) - (Decay * Math.Exp(logarithm)));
    }
}

/// <summary>
/// −φ(ρ)·A·log π with the weight φ held fixed, a <see cref="GammaWeight"/> of the whole completion's ratio
/// (<see cref="RatioLevel.Product"/>): stale completions fade out smoothly on both sides (VESPO, Shen et al. 2026, arXiv 2602.10693).
/// </summary>
/// <param name="positive">Where the advantage is not below 0.</param>
/// <param name="negative">Where it is.</param>
internal sealed class GammaWeightSurrogate(GammaWeight positive, GammaWeight negative) : IPolicySurrogate
{
    public SurrogateValue Of(double ratio, double advantage, double logProbability)
    {
        double slope = -(advantage >= 0 ? positive : negative).At(ratio) * advantage;
        return new SurrogateValue(slope * logProbability, RatioSlope: 0, slope);
    }

    public void AddTo(TrainingDigest digest) =>
        digest.Add("gamma weight").Add(positive.Power, positive.Decay, negative.Power, negative.Decay);
}
