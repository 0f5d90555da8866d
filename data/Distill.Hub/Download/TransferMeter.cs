namespace Distill.Hub.Download;

/// <summary>Counts what many tasks transfer and reports it now and then. Thread-safe.</summary>
internal sealed class TransferMeter(IProgress<HubProgress>? progress, TimeProvider clock)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private readonly Lock gate = new();
    private readonly long start = clock.GetTimestamp();
    private long bytes, moved, total, reported;
    private int files, totalFiles;
    private string note = "";

    /// <summary>Bytes that went over the wire, both ways counted once.</summary>
    public long Moved
    {
        get
        {
            lock (gate) return moved;
        }
    }

    public void Expect(int count, long size)
    {
        lock (gate)
        {
            (totalFiles, total) = (totalFiles + count, total + size);
            Report(isDue: true);
        }
    }

    /// <param name="isReceived">False for what was there before, or is taken back (negative).</param>
    public void Add(long count, bool isReceived)
    {
        lock (gate)
        {
            bytes += count;
            if (isReceived) (moved, note) = (moved + count, "");
            Report(isDue: false);
        }
    }

    public void Finish()
    {
        lock (gate)
        {
            files++;
            Report(isDue: true);
        }
    }

    /// <summary>Something is waited for.</summary>
    public void Wait(string reason)
    {
        lock (gate)
        {
            note = reason;
            Report(isDue: true);
        }
    }

    private void Report(bool isDue)
    {
        if (progress is null || (!isDue && clock.GetElapsedTime(reported) < Interval)) return;
        reported = clock.GetTimestamp();
        double seconds = clock.GetElapsedTime(start).TotalSeconds;
        progress.Report(new HubProgress(bytes, total, files, totalFiles, seconds > 0.5 ? moved / seconds : 0, note));
    }
}
