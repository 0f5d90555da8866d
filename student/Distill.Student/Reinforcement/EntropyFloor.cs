namespace Distill.Student.Reinforcement;

/// <summary>
/// Which tokens a policy loss learns from where it learns from uncertain ones alone: those where the policy had a choice decide what a
/// completion becomes (Wang et al. 2025, arXiv 2506.01939).
/// </summary>
public static class EntropyFloor
{
    /// <summary>The entropy from which on tokens belong to the most uncertain share: a quantile, interpolated between neighbours.</summary>
    /// <param name="share">0..1, e.g. 0.2.</param>
    public static double Of(IEnumerable<float> entropies, double share)
    {
        float[] sorted = [.. entropies.Order()];
        if (sorted.Length == 0) return double.NegativeInfinity;
        double place = (1 - share) * (sorted.Length - 1);
        int below = (int)place;
        double next = sorted[Math.Min(below + 1, sorted.Length - 1)];
        return sorted[below] + ((place - below) * (next - sorted[below]));
    }
}
