namespace Distill.Pipeline.Runs;

/// <summary>
/// How long a stage takes over all processes that work on it: each notes in the run's ledger how long it was at it. One that is killed
/// cannot, and the next one finds that. Dispose it: that notes the time of a stage that was stopped or failed. One thread.
/// </summary>
internal sealed class StageSpan : IDisposable
{
    private readonly RunLedger ledger;
    private readonly TimeProvider clock;
    private readonly string stage;
    private readonly long began;
    private readonly LedgerEntry before;
    private bool isEnded;

    /// <param name="key">Of the artefact.</param>
    /// <param name="isContinued">Whether other processes left something to go on from.</param>
    public StageSpan(RunLedger ledger, string stage, string key, bool isContinued, TimeProvider clock)
    {
        (this.ledger, this.stage, this.clock) = (ledger, stage, clock);
        var last = isContinued ? ledger.FindOpen(stage, key) : null;
        before = new LedgerEntry(key, last?.Seconds ?? 0, new Dictionary<string, double>())
        {
            IsContinued = isContinued,
            IsUntimed = isContinued && last is not { IsUntimed: false, IsAtWork: false },
        };
        ledger.PutOpen(stage, before with { IsAtWork = true });
        began = clock.GetTimestamp();
    }

    /// <summary>Of this process.</summary>
    public TimeSpan Elapsed => clock.GetElapsedTime(began);

    /// <summary>Notes that the artefact is whole.</summary>
    public void End(TimeSpan elapsed, IReadOnlyDictionary<string, double> measures, Planning.WorkDone? work)
    {
        ledger.Put(stage, before with
        {
            Seconds = before.Seconds + elapsed.TotalSeconds, OwnSeconds = elapsed.TotalSeconds, Measures = measures, Work = work,
        });
        isEnded = true;
    }

    public void Dispose()
    {
        if (isEnded) return;
        isEnded = true;
        try
        {
            ledger.PutOpen(stage, before with { Seconds = before.Seconds + Elapsed.TotalSeconds });
        }
        catch (IOException)
        {
            // A full disk: what ends the stage says so, and its time counts as not known.
        }
    }
}
