namespace Distill.Student.Reinforcement;

/// <summary>How rewards of one group are scaled.</summary>
public enum AdvantageScale
{
    /// <summary>By the group's standard deviation, with Bessel's correction and 1e-4 added, as TRL does.</summary>
    Group,

    /// <summary>Not at all (Dr. GRPO, Liu et al. 2025, arXiv 2503.20783).</summary>
    None,
}

/// <summary>
/// Group-relative advantages (Shao et al. 2024, arXiv 2402.03300): (reward − mean) / (deviation + 1e-4) within the completions of
/// one problem.
/// </summary>
public static class GroupAdvantage
{
    private const double Epsilon = 1e-4;

    /// <returns>One advantage per reward; all zero for a group whose rewards are equal or that has one member.</returns>
    public static double[] Of(IReadOnlyList<double> rewards, AdvantageScale scale)
    {
        double mean = rewards.Average();
        double[] centred = [.. rewards.Select(reward => reward - mean)];
        if (rewards.Count < 2 || rewards.All(reward => reward == rewards[0])) return new double[rewards.Count];
        if (scale == AdvantageScale.None) return centred;
        double deviation = Math.Sqrt(centred.Sum(value => value * value) / (rewards.Count - 1));
        return [.. centred.Select(value => value / (deviation + Epsilon))];
    }
}
