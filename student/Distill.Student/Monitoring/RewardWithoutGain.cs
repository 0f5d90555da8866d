using System.Globalization;

namespace Distill.Student.Monitoring;

/// <summary>The reward goes on rising while the held-out score does not: what is learned is the reward, not the task.</summary>
/// <param name="gain">Rings when the reward rose by at least this since the best held-out score.</param>
/// <param name="looks">And at least as many looks since then brought no better one.</param>
/// <param name="window">Updates of each mean of the reward.</param>
public sealed class RewardWithoutGain(double gain, int looks, int window, bool stops) : IAlarm
{
    public string Name => "reward_without_gain";

    public bool Stops => stops;

    public string? Fault(IReadOnlyList<TrainingMoment> history)
    {
        if (HeldOutScores.Best(history) is not { } best || best.Since < looks) return null;
        double then = Windows.Last([.. history.TakeWhile(moment => moment.Step <= best.Best.Step)], window, moment => moment.Reward);
        double now = Windows.Last(history, window, moment => moment.Reward);
        return now - then >= gain
            ? string.Create(CultureInfo.InvariantCulture, $"the reward rose from {then:F3} to {now:F3} since step {best.Best.Step}, the held-out score not beyond its {best.Best.HeldOut:P1}") : null;
    }
}
