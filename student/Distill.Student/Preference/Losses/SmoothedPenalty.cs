namespace Distill.Student.Preference.Losses;

/// <summary>Cross-entropy with a label that is wrong with probability ε: conservative DPO (Mitchell 2023, "A note on DPO with noisy preferences").</summary>
/// <param name="noise">ε, below 0.5.</param>
public sealed class SmoothedPenalty(double noise) : IMarginPenalty
{
    public (double Value, double Slope) Of(double margin) =>
        (-((1 - noise) * Logistic.Log(margin)) - (noise * Logistic.Log(-margin)), (noise * Logistic.Of(margin)) - ((1 - noise) * Logistic.Of(-margin)));
}
