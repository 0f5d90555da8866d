namespace Distill.Teacher.Remote.Calls;

/// <summary>
/// What was spent in the last 60 s, exactly: in no 60 s is more admitted than the limit, wherever they begin (a bucket that refills allows
/// twice as much in its first minute). One thread at a time.
/// </summary>
/// <param name="limit">0 is none.</param>
internal sealed class MinuteWindow(long limit, TimeProvider clock)
{
    private static readonly TimeSpan Length = TimeSpan.FromMinutes(1);

    private readonly Queue<MinuteEntry> entries = new();
    private long sum;

    /// <summary>
    /// How long until an amount fits; zero when it does. An amount above the limit fits when nothing else is in the window.
    /// </summary>
    public TimeSpan WaitFor(long amount)
    {
        if (limit == 0) return TimeSpan.Zero;
        while (entries.TryPeek(out var oldest) && Age(oldest) >= Length) sum -= entries.Dequeue().Amount;
        long excess = sum + Math.Min(amount, limit) - limit;
        foreach (var entry in entries)
        {
            if (excess <= 0) break;
            if ((excess -= entry.Amount) <= 0) return Length - Age(entry);
        }

        return TimeSpan.Zero;
    }

    public MinuteEntry Add(long amount)
    {
        var entry = new MinuteEntry { Amount = amount, Began = clock.GetTimestamp() };
        if (limit == 0) return entry;
        entries.Enqueue(entry);
        sum += amount;
        return entry;
    }

    /// <summary>Replaces an estimate by what it was. An entry that left the window meanwhile is history.</summary>
    public void Correct(MinuteEntry entry, long amount)
    {
        if (!entries.Contains(entry)) return;
        sum += amount - entry.Amount;
        entry.Amount = amount;
    }

    private TimeSpan Age(MinuteEntry entry) => clock.GetElapsedTime(entry.Began);
}

internal sealed class MinuteEntry
{
    public required long Amount { get; set; }

    public required long Began { get; init; }
}
