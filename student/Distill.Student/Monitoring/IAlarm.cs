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
