using Distill.Cli.Output;
using Distill.Pipeline.Runs;

namespace Distill.Cli.Progress;

/// <summary>How far a piece of work is and how long it still takes, in words. One thread at a time.</summary>
internal sealed class ProgressMeter(TimeProvider clock)
{
    private long start;
    private double before = -1; // done when first seen: what an earlier process did says nothing about our speed

    public void Restart() => before = -1;

    /// <summary>To be told of every step: the first one is where our own speed is counted from.</summary>
    public void See(StageProgress progress)
    {
        if (before < 0) (before, start) = (progress.Done, clock.GetTimestamp());
    }

    public static double ShareOf(StageProgress progress) => progress.Total > 0 ? Math.Clamp(progress.Done / progress.Total, 0, 1) : 0;

    /// <summary><c>1,200/4,000 traces, loss 0.123, 5,300 tokens/s, 0:42 left</c>.</summary>
    public string Describe(StageProgress progress)
    {
        var parts = new List<string> { $"{progress.Done:N0}/{progress.Total:N0} {progress.Unit}" };
        if (progress.Detail.Length > 0) parts.Add(progress.Detail);
        if (progress.Rate > 0) parts.Add(progress.Rate >= 10 ? $"{progress.Rate:N0} {progress.RateUnit}"
            : $"{progress.Rate:N1} {progress.RateUnit}");
        if (TimeLeft(progress) is { } left) parts.Add($"{Readable.Duration(left)} left");
        return string.Join(", ", parts);
    }

    private TimeSpan? TimeLeft(StageProgress progress)
    {
        double done = progress.Done - before, rest = progress.Total - progress.Done;
        var elapsed = clock.GetElapsedTime(start);
        bool known = done > 0 && rest > 0 && elapsed > TimeSpan.FromSeconds(1) && elapsed.TotalDays * rest / done < 1000;
        return known ? elapsed * (rest / done) : null;
    }
}
