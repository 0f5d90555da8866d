using System.Globalization;

namespace Distill.Student.Monitoring;

/// <summary>Too many completions reach the token limit, where they are not graded for what they would have said.</summary>
/// <param name="share">Rings above this share of the completions.</param>
/// <param name="window">Updates of the mean.</param>
public sealed class TruncationAlarm(double share, int window, bool stops) : IAlarm
{
    public string Name => "truncation";

    public bool Stops => stops;

    public string? Fault(IReadOnlyList<TrainingMoment> history)
    {
        double last = Windows.Last(history, window, moment => moment.Truncated);
        return last > share
            ? string.Create(CultureInfo.InvariantCulture, $"{last:P0} of the completions reached the token limit, more than {share:P0}: raise rl.max_tokens") : null;
    }
}
