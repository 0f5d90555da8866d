namespace Distill.Student.Reinforcement;

/// <summary>How the rewards of a step become advantages.</summary>
public enum AdvantageScale
{
    /// <summary>By the group's standard deviation, with Bessel's correction and 1e-4 added, as TRL does.</summary>
    Group,

    /// <summary>
    /// By the deviation over all rewards of the step, the mean staying the group's: hard and easy problems keep their weight.
    /// </summary>
    Batch,

    /// <summary>Not at all (Dr. GRPO, Liu et al. 2025, arXiv 2503.20783).</summary>
    None,

    /// <summary>Not at all, against the mean of the group's other members (RLOO, Ahmadian et al. 2024, arXiv 2402.14740).</summary>
    LeaveOneOut,

    /// <summary>The same, by the deviation of these differences over all rewards of the step.</summary>
    LeaveOneOutBatch,
}

/// <summary>
/// Group-relative advantages (Shao et al. 2024, arXiv 2402.03300): (reward − mean) / (deviation + 1e-4) within the completions of
/// one problem. A reward that is no number could not be given: it counts in no mean, and its completion has no advantage.
/// </summary>
internal static class GroupAdvantage
{
    private const double Epsilon = 1e-4;

    /// <returns>One advantage per reward of each group; all zero for a group whose rewards are equal or that has one member.</returns>
    public static double[][] Of(IReadOnlyList<IReadOnlyList<double>> groups, AdvantageScale scale) => scale switch
    {
        AdvantageScale.Batch => Scaled([.. groups.Select(Centred)], [.. groups.SelectMany(Scored)]),
        AdvantageScale.LeaveOneOutBatch => Scaled([.. groups.Select(LeftOut)], [.. groups.SelectMany(Differences)]),
        AdvantageScale.LeaveOneOut => [.. groups.Select(LeftOut)],
        AdvantageScale.None => [.. groups.Select(Centred)],
        _ => [.. groups.SelectMany(group => Scaled([Centred(group)], [.. Scored(group)]))],
    };

    private static double[][] Scaled(double[][] advantages, double[] spread)
    {
        double mean = spread.Length == 0 ? 0 : spread.Average(), deviation = spread.Length < 2 ? 0
            : Math.Sqrt(spread.Sum(value => (value - mean) * (value - mean)) / (spread.Length - 1));
        return [.. advantages.Select(group => group.Select(value => value / (deviation + Epsilon)).ToArray())];
    }

    private static IEnumerable<double> Scored(IEnumerable<double> rewards) => rewards.Where(reward => !double.IsNaN(reward));

    private static double[] Centred(IReadOnlyList<double> rewards)
    {
        double[] scored = [.. Scored(rewards)];
        if (scored.Length < 2 || scored.All(reward => reward == scored[0])) return new double[rewards.Count];
        double mean = scored.Average();
        return [.. rewards.Select(reward => double.IsNaN(reward) ? 0 : reward - mean)];
    }

    // Against the mean of the others: n/(n−1) times the distance from the mean of all.
    private static double[] LeftOut(IReadOnlyList<double> rewards)
    {
        int scored = Scored(rewards).Count();
        return [.. Centred(rewards).Select(value => value * scored / Math.Max(1, scored - 1))];
    }

    // Where there are no others there is no difference either.
    private static IEnumerable<double> Differences(IReadOnlyList<double> rewards) =>
        Scored(rewards).Count() < 2 ? [] : LeftOut(rewards).Where((_, index) => !double.IsNaN(rewards[index]));
}
