namespace Distill.Student.Preference.Losses;

/// <summary>KL(σ(margin) ‖ 1−ε) over the two completions: EXO for pairs (Ji et al. 2024, arXiv 2402.00856, equation 16), which seeks the mode where DPO covers it.</summary>
/// <param name="noise">ε: probability left to the rejected completion; above 0.</param>
public sealed class ReverseDivergencePenalty(double noise) : IMarginPenalty
{
    public (double Value, double Slope) Of(double margin)
    {
        double chosen = Logistic.Log(margin) - Math.Log(1 - noise), rejected = Logistic.Log(-margin) - Math.Log(noise);
        // The derivatives of the logarithms cancel: σ(m)σ(−m) − σ(−m)σ(m).
        return ((Logistic.Of(margin) * chosen) + (Logistic.Of(-margin) * rejected), Logistic.Slope(margin) * (chosen - rejected));
    }
}
