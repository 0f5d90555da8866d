using Distill.Student.Training;

namespace Distill.Student.Reinforcement;

/// <summary>
/// −min(ρ·A, clip(ρ, 1−low, 1+high)·A): PPO's clipped surrogate with an upper bound of its own (Schulman et al. 2017, arXiv 1707.06347; Yu et al.
/// 2025, arXiv 2503.14476). For a negative advantage ρ has no upper bound there; <paramref name="ratioCap"/> gives it one, which bounds
/// the importance weight of any token, however far sampler and trainer lie apart (TRL's <c>delta</c>).
/// </summary>
/// <param name="ratioCap">Largest ρ that counts; infinity for none.</param>
public sealed class ClippedSurrogate(double clipLow, double clipHigh, double ratioCap = double.PositiveInfinity) : IPolicySurrogate
{
    public SurrogateValue Of(double ratio, double advantage, double logProbability)
    {
        bool capped = ratio > ratioCap;
        double free = (capped ? ratioCap : ratio) * advantage, clipped = Math.Clamp(ratio, 1 - clipLow, 1 + clipHigh) * advantage;
        return new SurrogateValue(-Math.Min(free, clipped), free <= clipped && !capped ? -free : 0); // d ρ / d log π = ρ; a clipped token has no slope
    }

    public ClippedSide Clips(double ratio, double advantage) =>
        advantage < 0 && ratio < 1 - clipLow ? ClippedSide.Low : advantage > 0 && ratio > 1 + clipHigh ? ClippedSide.High : ClippedSide.None;

    public void AddTo(TrainingDigest digest) => digest.Add("clipped").Add(clipLow, clipHigh, ratioCap);
}
