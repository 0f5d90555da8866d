using System.Globalization;

namespace Distill.Student.Monitoring;

/// <summary>The policy has stopped trying things: its entropy fell far below what it began with.</summary>
/// <param name="share">Rings below this share of the first updates' mean.</param>
/// <param name="window">Updates of each mean.</param>
public sealed class EntropyCollapse(double share, int window, bool stops) : IAlarm
{
    public string Name => "entropy_collapse";

    public bool Stops => stops;

    public string? Fault(IReadOnlyList<TrainingMoment> history)
    {
        double first = Windows.First(history, window, moment => moment.Entropy), last = Windows.Last(history, window, moment => moment.Entropy);
        return last < share * first
            ? string.Create(CultureInfo.InvariantCulture, $"entropy fell from {first:F3} to {last:F3} nats, below {share:P0} of where it began") : null;
    }
}
