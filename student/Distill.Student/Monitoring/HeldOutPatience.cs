using System.Globalization;

namespace Distill.Student.Monitoring;

/// <summary>The held-out score has not risen for a while: the training ends, with the weights that did best.</summary>
/// <param name="looks">Rings when as many looks in a row brought no better score.</param>
public sealed class HeldOutPatience(int looks) : IAlarm
{
    public string Name => "held_out_patience";

    public bool Stops => true;

    public string? Fault(IReadOnlyList<TrainingMoment> history) =>
        HeldOutScores.Best(history) is { } best && best.Since >= looks
            ? string.Create(CultureInfo.InvariantCulture, $"the held-out score has not risen beyond {best.Best.HeldOut:P1} of step {best.Best.Step} in {best.Since} looks") : null;
}
