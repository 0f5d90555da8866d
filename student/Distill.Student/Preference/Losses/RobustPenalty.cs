namespace Distill.Student.Preference.Losses;

/// <summary>
/// ((1−ε)·ℓ(m) − ε·ℓ(−m)) / (1−2ε), ℓ = −log σ: its mean over labels flipped with probability ε is DPO's loss on the true ones
/// (Chowdhury et al. 2024, arXiv 2403.00409).
/// </summary>
/// <param name="noise">ε, below 0.5.</param>
public sealed class RobustPenalty(double noise) : IMarginPenalty
{
    public (double Value, double Slope) Of(double margin)
    {
        double value = (noise * Logistic.Log(-margin)) - ((1 - noise) * Logistic.Log(margin));
        double slope = -((1 - noise) * Logistic.Of(-margin)) - (noise * Logistic.Of(margin));
        return (value / (1 - (2 * noise)), slope / (1 - (2 * noise)));
    }
}
