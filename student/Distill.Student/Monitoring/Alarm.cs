namespace Distill.Student.Monitoring;

/// <summary>
/// Something that goes wrong in reinforcement before the result shows it. A pure function of the history, so that a continued training
/// finds what an undisturbed one finds. Immutable.
/// </summary>
public interface IAlarm
{
    /// <summary>In snake case: what it is called in the measurements.</summary>
    string Name { get; }

    /// <summary>Whether the training ends when it rings.</summary>
    bool Stops { get; }

    /// <param name="history">Updates so far, at least one; the last is the one looked at.</param>
    /// <returns>What is wrong at the last update, with figures; null when nothing is.</returns>
    string? Fault(IReadOnlyList<TrainingMoment> history);
}

/// <summary>An alarm that began to ring.</summary>
/// <param name="Message">What was found, with figures.</param>
public sealed record AlarmFinding(string Alarm, int Step, string Message, bool Stops);

/// <summary>What alarms see of one policy update.</summary>
/// <param name="Step">1 for the first.</param>
/// <param name="Entropy">Nats at the learned tokens; NaN when the step had none.</param>
/// <param name="HeldOut">
/// What a look at the held-out problems was worth: the mean of sampled and greedy accuracy, no more than that of the start where greedy
/// accuracy fell below it. NaN when not measured.
/// </param>
public readonly record struct TrainingMoment(
    int Step, double Reward, double HeldOut, double Entropy, double MeanTokens, double Truncated, double DeadGroups, double GradientNorm)
{
    internal const int Fields = 8;

    internal long[] ToBits() =>
        [Step, .. ((double[])[Reward, HeldOut, Entropy, MeanTokens, Truncated, DeadGroups, GradientNorm])
        .Select(BitConverter.DoubleToInt64Bits)];

    internal static TrainingMoment FromBits(long[] bits)
    {
        double At(int field) => BitConverter.Int64BitsToDouble(bits[field]);
        return new TrainingMoment((int)bits[0], At(1), At(2), At(3), At(4), At(5), At(6), At(7));
    }
}

/// <summary>The alarms of a training. An alarm is told of once, when it begins to ring, not again while it goes on.</summary>
internal static class AlarmList
{
    /// <summary>What began to ring at the last update.</summary>
    public static IReadOnlyList<AlarmFinding> At(IReadOnlyList<IAlarm> alarms, IReadOnlyList<TrainingMoment> history)
    {
        var before = history.Take(history.Count - 1).ToList();
        return
        [
            .. alarms
                .Select(alarm => (Alarm: alarm, Fault: alarm.Fault(history)))
                .Where(found => found.Fault is not null && (before.Count == 0 || found.Alarm.Fault(before) is null))
                .Select(found => new AlarmFinding(found.Alarm.Name, history[^1].Step, found.Fault!, found.Alarm.Stops)),
        ];
    }

    /// <summary>What began to ring at any update.</summary>
    public static IReadOnlyList<AlarmFinding> Over(IReadOnlyList<IAlarm> alarms, IReadOnlyList<TrainingMoment> history) =>
        alarms.Count == 0 ? [] : [.. Enumerable.Range(1, history.Count).SelectMany(count => At(alarms, [.. history.Take(count)]))];
}

/// <summary>Means over a few updates: a single one says little.</summary>
internal static class WindowMean
{
    /// <summary>Over the first updates that have the value; NaN when there are fewer.</summary>
    public static double First(IReadOnlyList<TrainingMoment> history, int window, Func<TrainingMoment, double> value) =>
        Mean([.. history.Select(value).Where(double.IsFinite).Take(window)], window);

    /// <summary>Over the last updates that have the value; NaN when there are fewer.</summary>
    public static double Last(IReadOnlyList<TrainingMoment> history, int window, Func<TrainingMoment, double> value) =>
        Mean([.. history.Select(value).Where(double.IsFinite).TakeLast(window)], window);

    private static double Mean(double[] values, int window) => values.Length < window ? double.NaN : values.Average();
}

/// <summary>The looks at the held-out problems so far.</summary>
internal static class HeldOutScores
{
    /// <summary>
    /// The update with the best score, the earliest among equals, and how many looks came after it; null before the first look.
    /// </summary>
    public static (TrainingMoment Best, int Since)? Best(IReadOnlyList<TrainingMoment> history)
    {
        var looks = history.Where(moment => double.IsFinite(moment.HeldOut)).ToList();
        if (looks.Count == 0) return null;
        int best = looks.FindIndex(look => look.HeldOut == looks.Max(other => other.HeldOut));
        return (looks[best], looks.Count - 1 - best);
    }
}
