using Distill.Student.Training;

namespace Distill.Student.Reinforcement;

/// <summary>
/// −A·4/τ·σ(τ·(ρ − 1)): a smooth gate instead of a clip. Its slope is that of −ρ·A where ρ = 1 and fades as ρ moves away, faster for a larger
/// τ; bad completions get the larger one, because pushing down one token raises all others (SAPO, Gao et al. 2025, arXiv 2511.20347).
/// </summary>
/// <param name="positive">τ where the advantage is above 0.</param>
/// <param name="negative">τ elsewhere.</param>
public sealed class SoftGateSurrogate(double positive = 1, double negative = 1.05) : IPolicySurrogate
{
    public SurrogateValue Of(double ratio, double advantage, double logProbability)
    {
        double steepness = advantage > 0 ? positive : negative, gate = 1 / (1 + Math.Exp(-steepness * (ratio - 1)));
        double slope = gate < 1 ? -advantage * 4 * gate * (1 - gate) * ratio : 0; // an infinite ratio has no slope
        return new SurrogateValue(-advantage * 4 / steepness * gate, slope);
    }

    public void AddTo(TrainingDigest digest) => digest.Add("soft gate").Add(positive, negative);
}
