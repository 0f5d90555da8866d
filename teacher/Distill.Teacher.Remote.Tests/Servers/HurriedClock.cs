using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;

namespace Distill.Teacher.Remote.Tests.Servers;

/// <summary>
/// A clock on which waits take no time: whoever sets a timer shorter than the patience given finds that time has moved on by as much.
/// Longer ones (timeouts of attempts) go off only when a test moves the clock. Notes every wait, so that tests are about times and take
/// none.
/// </summary>
internal sealed class HurriedClock(TimeSpan patience) : FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero))
{
    private readonly ConcurrentQueue<TimeSpan> waits = new();
    private readonly Channel<TimeSpan> timers = Channel.CreateUnbounded<TimeSpan>();

    public HurriedClock()
        : this(TimeSpan.FromMinutes(10))
    {
    }

    /// <summary>Every wait that was hurried through, in order.</summary>
    public IReadOnlyList<TimeSpan> Waits => [.. waits];

    /// <summary>Ends when somebody has set a timer of this length.</summary>
    public async Task TimerOf(TimeSpan length)
    {
        await foreach (var set in timers.Reader.ReadAllAsync(TestContext.Current.CancellationToken))
            if (set == length) return;
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        timers.Writer.TryWrite(dueTime);
        if (dueTime <= TimeSpan.Zero || dueTime >= patience) return timer;
        waits.Enqueue(dueTime);
        _ = Task.Run(() => Advance(dueTime));
        return timer;
    }
}
