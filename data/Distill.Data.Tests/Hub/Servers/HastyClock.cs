using System.Collections.Concurrent;

namespace Distill.Data.Tests.Hub.Servers;

/// <summary>
/// A clock on which nobody waits: a timer shorter than quarter of an hour goes off at once and is noted. Longer ones (of connections that
/// stand still) run as they are set.
/// </summary>
internal sealed class HastyClock : TimeProvider
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    private readonly ConcurrentQueue<TimeSpan> waits = new();
    private long looked;

    /// <summary>What would have been waited for, in order.</summary>
    public IReadOnlyList<TimeSpan> Waits => [.. waits];

    /// <summary>Every look at the clock is a second later than the one before: whatever is done now and then is done each time.</summary>
    public override long GetTimestamp() => Interlocked.Add(ref looked, TimestampFrequency);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        bool isHurried = dueTime > TimeSpan.Zero && dueTime < Patience;
        if (isHurried) waits.Enqueue(dueTime);
        return base.CreateTimer(callback, state, isHurried ? TimeSpan.Zero : dueTime, period);
    }
}
