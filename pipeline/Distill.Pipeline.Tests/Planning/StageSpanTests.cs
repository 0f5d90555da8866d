using Distill.Pipeline.Planning;
using Distill.Pipeline.Runs;
using Microsoft.Extensions.Time.Testing;

namespace Distill.Pipeline.Tests.Planning;

/// <summary>How long a stage took that several processes worked on.</summary>
public sealed class StageSpanTests : IDisposable
{
    private static readonly Dictionary<string, double> Measures = new() { ["rate"] = 2 };

    private readonly TemporaryFolder folder = new();
    private readonly FakeTimeProvider clock = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_time_of_a_stopped_process_is_added()
    {
        using (Begin(isContinued: false)) clock.Advance(TimeSpan.FromSeconds(10));
        Ledger.Find("sft", "key").ShouldBeNull();
        var entry = Finish(isContinued: true);
        (entry.Seconds, entry.OwnSeconds, entry.IsContinued, entry.IsUntimed).ShouldBe((15, 5, true, false));
        entry.Work.ShouldBe(new WorkDone(3));
        entry.Measures.ShouldBe(Measures);
        Ledger.FindOpen("sft", "key").ShouldBeNull();
    }

    [Fact]
    public void The_time_of_a_killed_process_is_said_to_be_unknown()
    {
        var killed = Begin(isContinued: false);
        clock.Advance(TimeSpan.FromSeconds(10));
        using (Begin(isContinued: true)) clock.Advance(TimeSpan.FromSeconds(20));
        var entry = Finish(isContinued: true);
        (entry.Seconds, entry.IsContinued, entry.IsUntimed).ShouldBe((25, true, true));
        killed.Dispose();
    }

    [Fact]
    public void What_another_machine_left_has_a_time_that_nobody_here_knows() =>
        Finish(isContinued: true).IsUntimed.ShouldBeTrue();

    [Fact]
    public void A_stage_that_one_process_made_alone_took_what_that_took()
    {
        var entry = Finish(isContinued: false);
        (entry.Seconds, entry.OwnSeconds, entry.IsContinued, entry.IsUntimed).ShouldBe((5, 5, false, false));
        // It is made again, and stopped: what was finished before stands.
        using (Begin(isContinued: false)) clock.Advance(TimeSpan.FromSeconds(1));
        Ledger.Find("sft", "key").ShouldNotBeNull().Seconds.ShouldBe(5);
    }

    private RunLedger Ledger => RunLedger.Open(folder["ledger.json"]);

    private StageSpan Begin(bool isContinued) => new(Ledger, "sft", "key", isContinued, clock);

    private LedgerEntry Finish(bool isContinued)
    {
        using var span = Begin(isContinued);
        clock.Advance(TimeSpan.FromSeconds(5));
        span.End(span.Elapsed, Measures, new WorkDone(3));
        return Ledger.Find("sft", "key").ShouldNotBeNull();
    }
}
