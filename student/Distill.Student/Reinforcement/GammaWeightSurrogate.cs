using Distill.Student.Training;

namespace Distill.Student.Reinforcement;

/// <summary>How a completion's weight grows and falls with its ratio ρ: e^λ·ρ^k·e^(−λ·ρ), 1 at ρ = 1, largest at ρ = k/λ.</summary>
/// <param name="Power">k.</param>
/// <param name="Decay">λ.</param>
public sealed record GammaWeight(double Power, double Decay)
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
/// −φ(ρ)·A·log π with the weight φ held fixed, a <see cref="GammaWeight"/> of the whole completion's ratio (<see cref="RatioLevel.Product"/>):
/// stale completions fade out smoothly on both sides (VESPO, Shen et al. 2026, arXiv 2602.10693).
/// </summary>
/// <param name="positive">Where the advantage is not below 0.</param>
/// <param name="negative">Where it is.</param>
public sealed class GammaWeightSurrogate(GammaWeight positive, GammaWeight negative) : IPolicySurrogate
{
    public SurrogateValue Of(double ratio, double advantage, double logProbability)
    {
        double slope = -(advantage >= 0 ? positive : negative).At(ratio) * advantage;
        return new SurrogateValue(slope * logProbability, RatioSlope: 0, slope);
    }

    public void AddTo(TrainingDigest digest) => digest.Add("gamma weight").Add(positive.Power, positive.Decay, negative.Power, negative.Decay);
}
