using System.Globalization;

namespace Distill.Student.Monitoring;

/// <summary>Completions grow without end.</summary>
/// <param name="factor">Rings above this multiple of the first updates' mean length.</param>
/// <param name="window">Updates of each mean.</param>
public sealed class LengthExplosion(double factor, int window, bool stops) : IAlarm
{
    public string Name => "length_explosion";

    public bool Stops => stops;

    public string? Fault(IReadOnlyList<TrainingMoment> history)
    {
        double first = Windows.First(history, window, moment => moment.MeanTokens), last = Windows.Last(history, window, moment => moment.MeanTokens);
        return last > factor * first
            ? string.Create(CultureInfo.InvariantCulture, $"completions grew from {first:F0} to {last:F0} tokens, more than {factor:G3} times") : null;
    }
}
