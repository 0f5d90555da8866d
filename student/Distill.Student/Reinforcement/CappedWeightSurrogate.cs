using Distill.Student.Training;

namespace Distill.Student.Reinforcement;

/// <summary>
/// −min(ρ, cap)·A·log π with the weight held fixed: every token keeps a slope, and its importance weight is bounded (CISPO, MiniMax
/// 2025, arXiv 2506.13585).
/// </summary>
/// <param name="cap">Largest weight, e.g. 5.</param>
public sealed class CappedWeightSurrogate(double cap) : IPolicySurrogate
{
    public SurrogateValue Of(double ratio, double advantage, double logProbability)
    {
        double slope = -Math.Min(ratio, cap) * advantage;
        return new SurrogateValue(slope * logProbability, RatioSlope: 0, slope);
    }

    public ClippedSide Clips(double ratio, double advantage) => advantage > 0 && ratio > cap ? ClippedSide.High : ClippedSide.None;

    public void AddTo(TrainingDigest digest) => digest.Add("capped weight").Add(cap);
}
