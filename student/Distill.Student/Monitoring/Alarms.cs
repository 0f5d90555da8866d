using System.Globalization;

namespace Distill.Student.Monitoring;

/// <summary>
/// A gradient, reward or entropy is not a number; the update is left out, and the training ends with the weights that did best.
/// </summary>
internal sealed class NotFiniteAlarm : IAlarm
{
    public string Name => "not_finite";

    public bool Stops => true;

    public string? Fault(IReadOnlyList<TrainingMoment> history)
    {
        var last = history[^1];
        // Entropy and held-out score are NaN where they were not measured; infinity is never that.
        bool sound = double.IsFinite(last.GradientNorm) && double.IsFinite(last.Reward) && !double.IsInfinity(last.Entropy);
        return sound ? null : "the gradient, the reward or the entropy is not finite: lower rl.learning_rate";
    }
}

/// <summary>The policy has stopped trying things: its entropy fell far below what it began with.</summary>
/// <param name="share">Rings below this share of the first updates' mean.</param>
/// <param name="window">Updates of each mean.</param>
internal sealed class EntropyCollapse(double share, int window, bool stops) : IAlarm
{
    public string Name => "entropy_collapse";

    public bool Stops => stops;

    public string? Fault(IReadOnlyList<TrainingMoment> history)
    {
        double first = WindowMean.First(history, window, moment => moment.Entropy),
            last = WindowMean.Last(history, window, moment => moment.Entropy);
        return last < share * first
            ? string.Create(
                CultureInfo.InvariantCulture, $"entropy fell from {first:F3} to {last:F3} nats, below {share:P0} of where it began") : null;
    }
}

/// <summary>Completions grow without end.</summary>
/// <param name="factor">Rings above this multiple of the first updates' mean length.</param>
/// <param name="window">Updates of each mean.</param>
internal sealed class LengthExplosion(double factor, int window, bool stops) : IAlarm
{
    public string Name => "length_explosion";

    public bool Stops => stops;

    public string? Fault(IReadOnlyList<TrainingMoment> history)
    {
        double first = WindowMean.First(history, window, moment => moment.MeanTokens),
            last = WindowMean.Last(history, window, moment => moment.MeanTokens);
        return last > factor * first
            ? string.Create(
                CultureInfo.InvariantCulture, $"completions grew from {first:F0} to {last:F0} tokens, more than {factor:G3} times") : null;
    }
}

/// <summary>Too many completions reach the token limit, where they are not graded for what they would have said.</summary>
/// <param name="share">Rings above this share of the completions.</param>
/// <param name="window">Updates of the mean.</param>
internal sealed class TruncationAlarm(double share, int window, bool stops) : IAlarm
{
    public string Name => "truncation";

    public bool Stops => stops;

    public string? Fault(IReadOnlyList<TrainingMoment> history)
    {
        double last = WindowMean.Last(history, window, moment => moment.Truncated);
        return last > share
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"{last:P0} of the completions reached the token limit, more than {share:P0}: raise rl.max_tokens") : null;
    }
}

/// <summary>Hardly any group teaches: the problems are all too hard or all too easy by now.</summary>
/// <param name="share">Rings above this share of the groups.</param>
/// <param name="window">Updates of the mean.</param>
internal sealed class DeadGroupsAlarm(double share, int window, bool stops) : IAlarm
{
    public string Name => "dead_groups";

    public bool Stops => stops;

    public string? Fault(IReadOnlyList<TrainingMoment> history)
    {
        double last = WindowMean.Last(history, window, moment => moment.DeadGroups);
        return last > share
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"in {last:P0} of the groups all completions earned the same, more than {share:P0}: choose problems of another level")
            : null;
    }
}

/// <summary>The held-out score has not risen for a while: the training ends, with the weights that did best.</summary>
/// <param name="looks">Rings when as many looks in a row brought no better score.</param>
internal sealed class HeldOutPatience(int looks) : IAlarm
{
    public string Name => "held_out_patience";

    public bool Stops => true;

    public string? Fault(IReadOnlyList<TrainingMoment> history) =>
        HeldOutScores.Best(history) is { } best && best.Since >= looks
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"the held-out score has not risen beyond {best.Best.HeldOut:P1} of step {best.Best.Step} in {best.Since} looks") : null;
}

/// <summary>The reward goes on rising while the held-out score does not: what is learned is the reward, not the task.</summary>
/// <param name="gain">Rings when the reward rose by at least this since the best held-out score.</param>
/// <param name="looks">And at least as many looks since then brought no better one.</param>
/// <param name="window">Updates of each mean of the reward.</param>
internal sealed class RewardWithoutGain(double gain, int looks, int window, bool stops) : IAlarm
{
    public string Name => "reward_without_gain";

    public bool Stops => stops;

    public string? Fault(IReadOnlyList<TrainingMoment> history)
    {
        if (HeldOutScores.Best(history) is not { } best || best.Since < looks) return null;
        double then = WindowMean.Last([.. history.TakeWhile(moment => moment.Step <= best.Best.Step)], window, moment => moment.Reward);
        double now = WindowMean.Last(history, window, moment => moment.Reward);
        return now - then >= gain
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"the reward rose from {then:F3} to {now:F3} since step {best.Best.Step}, the held-out score not beyond its "
                + $"{best.Best.HeldOut:P1}") : null;
    }
}
