namespace Distill.Student.Reinforcement;

/// <summary>How the rewards of a step become advantages.</summary>
public enum AdvantageScale
{
    /// <summary>By the group's standard deviation, with Bessel's correction and 1e-4 added, as TRL does.</summary>
    Group,

    /// <summary>By the deviation over all rewards of the step, the mean staying the group's: hard and easy problems keep their weight.</summary>
    Batch,

    /// <summary>Not at all (Dr. GRPO, Liu et al. 2025, arXiv 2503.20783).</summary>
    None,

    /// <summary>Not at all, against the mean of the group's other members (RLOO, Ahmadian et al. 2024, arXiv 2402.14740).</summary>
    LeaveOneOut,
}

/// <summary>
/// Group-relative advantages (Shao et al. 2024, arXiv 2402.03300): (reward − mean) / (deviation + 1e-4) within the completions of
/// one problem.
/// </summary>
public static class GroupAdvantage
{
    private const double Epsilon = 1e-4;

    /// <returns>One advantage per reward of each group; all zero for a group whose rewards are equal or that has one member.</returns>
    public static double[][] Of(IReadOnlyList<IReadOnlyList<double>> groups, AdvantageScale scale)
    {
        if (groups.Count == 0) return [];
        if (scale != AdvantageScale.Batch) return [.. groups.Select(group => Of(group, scale))];
        double[] all = [.. groups.SelectMany(group => group)];
        double mean = all.Average(), deviation = all.Length < 2 ? 0 : Math.Sqrt(all.Sum(reward => (reward - mean) * (reward - mean)) / (all.Length - 1));
        return [.. groups.Select(group => Of(group, AdvantageScale.None).Select(value => value / (deviation + Epsilon)).ToArray())];
    }

    private static double[] Of(IReadOnlyList<double> rewards, AdvantageScale scale)
    {
        double mean = rewards.Average();
        double[] centred = [.. rewards.Select(reward => reward - mean)];
        if (rewards.Count < 2 || rewards.All(reward => reward == rewards[0])) return new double[rewards.Count];
        if (scale == AdvantageScale.None) return centred;
        if (scale == AdvantageScale.LeaveOneOut) return [.. centred.Select(value => value * rewards.Count / (rewards.Count - 1))];
        double deviation = Math.Sqrt(centred.Sum(value => value * value) / (rewards.Count - 1));
        return [.. centred.Select(value => value / (deviation + Epsilon))];
    }
}
