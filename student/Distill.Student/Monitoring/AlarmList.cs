namespace Distill.Student.Monitoring;

/// <summary>The alarms of a training. An alarm is told of once, when it begins to ring, not again while it goes on.</summary>
public static class AlarmList
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
