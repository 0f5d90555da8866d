using System.Globalization;

namespace Distill.Student.Monitoring;

/// <summary>Hardly any group teaches: the problems are all too hard or all too easy by now.</summary>
/// <param name="share">Rings above this share of the groups.</param>
/// <param name="window">Updates of the mean.</param>
public sealed class DeadGroupsAlarm(double share, int window, bool stops) : IAlarm
{
    public string Name => "dead_groups";

    public bool Stops => stops;

    public string? Fault(IReadOnlyList<TrainingMoment> history)
    {
        double last = Windows.Last(history, window, moment => moment.DeadGroups);
        return last > share
            ? string.Create(CultureInfo.InvariantCulture, $"in {last:P0} of the groups all completions earned the same, more than {share:P0}: choose problems of another level") : null;
    }
}
