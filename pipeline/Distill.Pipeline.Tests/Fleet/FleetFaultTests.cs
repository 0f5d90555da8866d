using Distill.Pipeline.Runs;
using Distill.Service.Fleet;
using Distill.Storage;

namespace Distill.Pipeline.Tests.Fleet;

/// <summary>What must not hold up a run, and what must not be counted against its work.</summary>
public sealed class FleetFaultTests : IDisposable
{
    private const int Units = 20;

    private readonly ScriptedFleet fleet = new(Units);
    private readonly ListQueue queue = new();

    private static CancellationToken Ending => TestContext.Current.CancellationToken;

    private WorkNotes UnitsWork => fleet.Folder.WorkOn(fleet.Orders.Find(ScriptedFleet.Run)!.Open[0].Place);

    public void Dispose() => fleet.Dispose();

    [Fact]
    public async Task A_claim_ends_when_what_makes_the_work_cannot_be_started()
    {
        fleet.Dispatcher(queue).Begin(ScriptedFleet.Run);
        var worker = fleet.Worker(queue, alter: _ => new FaultyMaker(() => throw new IOException("it cannot be started")));
        await worker.DoAsync(Taken(), Ending);
        var end = UnitsWork.Claims(UnitRange.Whole).ShouldHaveSingleItem().End.ShouldNotBeNull();
        (end.Outcome, end.Reason).ShouldBe((ClaimOutcome.Failed, "it cannot be started"));
        Taken().Range.ShouldBe(UnitRange.Whole); // for the next attempt
    }

    [Fact]
    public async Task A_claim_ends_though_the_worker_cannot_write_of_itself()
    {
        fleet.Dispatcher(queue).Begin(ScriptedFleet.Run);
        string workers = Path.GetDirectoryName(fleet.Folder.WorkerNote("any"))!;
        var worker = fleet.Worker(queue, alter: _ => new FaultyMaker(() => Directory.Delete(workers, recursive: true)));
        await worker.DoAsync(Taken(), Ending);
        UnitsWork.Claims(UnitRange.Whole).ShouldHaveSingleItem().End.ShouldNotBeNull().Outcome.ShouldBe(ClaimOutcome.Failed);
        fleet.Folder.Create();
    }

    [Fact]
    public async Task A_run_whose_folder_another_holds_waits_for_its_report_and_nothing_is_counted()
    {
        fleet.Dispatcher(queue).Begin(ScriptedFleet.Run);
        var worker = fleet.Worker(queue);
        using (fleet.Place.Lock())
        {
            await DoAllAsync(worker);
            for (int look = 0; look < 2 * ClaimDesk.MostEnds; look++)
            {
                fleet.Dispatcher(queue).Review();
                await DoAllAsync(worker);
            }

            fleet.Orders.Find(ScriptedFleet.Run)!.Open.ShouldHaveSingleItem().IsReport.ShouldBeTrue();
            fleet.Folder.ReportOf(ScriptedFleet.Run).Claims(UnitRange.Whole).ShouldBeEmpty();
        }

        fleet.Dispatcher(queue).Review();
        await DoAllAsync(worker);
        fleet.State.Progress.ShouldBe(RunProgress.Finished);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("cpu")]
    public async Task What_a_worker_has_no_devices_for_is_left_to_others_without_a_claim(string? device)
    {
        fleet.Dispatcher(queue).Begin(ScriptedFleet.Run);
        var worker = fleet.Worker(queue);
        while (fleet.Orders.Find(ScriptedFleet.Run)!.Open[0].Stage != "sum") await worker.DoAsync(Taken(), Ending);
        var sum = Taken();
        fleet.IsForCard = true;
        fleet.IsPlanned = _ => device is not null;
        var other = fleet.Worker(queue, device: device);
        for (int attempt = 0; attempt < 2 * ClaimDesk.MostEnds; attempt++)
        {
            await other.DoAsync(sum, Ending);
            Taken().ShouldBe(sum);
        }

        UnitsWork.Claims(UnitRange.Whole).ShouldBeEmpty();
        fleet.IsPlanned = _ => true;
        await worker.DoAsync(sum, Ending);
        await DoAllAsync(worker);
        fleet.State.Progress.ShouldBe(RunProgress.Finished);
    }

    [Fact]
    public void A_run_that_cannot_be_read_holds_up_no_other_and_is_told_once()
    {
        var dispatcher = fleet.Dispatcher(queue);
        dispatcher.Begin(ScriptedFleet.Run);
        Taken();
        fleet.Orders.TryCreate("broken").ShouldBeTrue();
        dispatcher.Review();
        dispatcher.Review();
        Taken().Run.ShouldBe(ScriptedFleet.Run);
        fleet.Told.ShouldHaveSingleItem().ShouldContain("'broken'");
    }

    [Fact]
    public void A_run_that_workers_have_is_not_removed()
    {
        fleet.Dispatcher(queue).Begin(ScriptedFleet.Run);
        Should.Throw<RunRefusedException>(fleet.Place.Remove).Message.ShouldContain("distill fleet stop scripted");
        FleetRun.Stop(fleet.Store, ScriptedFleet.Run, "taken back", TimeProvider.System);
        fleet.Place.Remove().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_frozen_stage_is_taken_over_again_after_its_second_worker_was_stopped()
    {
        using var thaw = new ManualResetEventSlim();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ending);
        var patience = TimeSpan.FromMilliseconds(400);
        var zombie = fleet.Worker(queue, patience);
        fleet.Dispatcher(queue, patience).Begin(ScriptedFleet.Run);
        while (fleet.Orders.Find(ScriptedFleet.Run)!.Open[0].Stage != "sum") await zombie.DoAsync(Taken(), Ending);
        var (frozen, taken) = (new TaskCompletionSource(), new TaskCompletionSource());
        fleet.BeforeUnit = (_, _) =>
        {
            if (frozen.TrySetResult()) thaw.Wait(Ending);
            else if (taken.TrySetResult()) stop.Token.WaitHandle.WaitOne();
            else return;
            stop.Token.ThrowIfCancellationRequested();
        };
        var sum = Taken();
        var late = Task.Run(() => zombie.DoAsync(sum, Ending), Ending);
        await frozen.Task;
        var second = queue.ServeAsync(fleet, stop.Token, fleet.Worker(queue, patience));
        await taken.Task;
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => second);
        await queue.ServeAsync(fleet, Ending, fleet.Worker(queue, patience));
        fleet.State.Progress.ShouldBe(RunProgress.Finished);
        fleet.PlaceOf("2-sum").ShouldEndWith("~/2");
        fleet.Digest.ShouldBe(ScriptedFleet.DigestOf(Units));
        thaw.Set();
        await late.WaitAsync(Ending).ContinueWith(_ => { }, TaskScheduler.Default);
    }

    [Fact]
    public void The_end_of_a_worker_counts_less_than_that_of_its_process_and_dividing_is_no_joining()
    {
        var (notes, range) = (fleet.Folder.WorkOn(new StoreKey("units", new string('a', 64))), new UnitRange(0, 1));
        var desk = new ClaimDesk(new WorkerWatch(fleet.Folder, TimeProvider.System, WorkerWatch.Patience), TimeProvider.System);
        notes.Divide(new("units", Units));
        for (int number = 1; number <= ClaimDesk.MostLosses; number++)
        {
            notes.Bad().ShouldBeEmpty();
            notes.TryClaim(range, number, Gone()).ShouldBeTrue();
            desk.Settle(notes, range, null).ShouldBeTrue();
        }

        notes.Bad().ShouldHaveSingleItem().Unit.ShouldBe(0);
        ClaimOutcome[] ends = [ClaimOutcome.Died, ClaimOutcome.Died, ClaimOutcome.Divided, ClaimOutcome.Died, ClaimOutcome.Died];
        for (int number = 1; number <= ends.Length; number++) End(number, ends[number - 1]);
        notes.Bad().Count.ShouldBe(1);
        End(ends.Length + 1, ClaimOutcome.Died);
        notes.Bad().Select(bad => bad.Unit).ShouldBe([UnitRange.NoUnit, 0]);

        static Claim Gone() => new("gone", "session", 1, DateTimeOffset.UnixEpoch);

        void End(int number, ClaimOutcome outcome)
        {
            notes.TryClaim(UnitRange.Whole, number, Gone()).ShouldBeTrue();
            desk.End(notes, UnitRange.Whole, number, outcome, "because");
        }
    }

    // Two that look at a dead worker's claim at once: the second one's number must not be that after the first one's.
    [Fact]
    public void Who_is_overtaken_between_its_look_and_its_claim_does_not_claim_too()
    {
        var (notes, range) = (fleet.Folder.WorkOn(new StoreKey("units", new string('c', 64))), new UnitRange(0, 1));
        var watch = new WorkerWatch(fleet.Folder, TimeProvider.System, WorkerWatch.Patience);
        notes.Divide(new("units", Units));
        notes.TryClaim(range, 1, new("gone", "session", 1, DateTimeOffset.UnixEpoch)).ShouldBeTrue();
        var clock = new InterruptedClock(
            () => new ClaimDesk(watch, TimeProvider.System).Take(notes, range, Named("first")).ShouldBe((ClaimVerdict.Taken, 2)));
        new ClaimDesk(watch, clock).Take(notes, range, Named("second")).Verdict.ShouldBe(ClaimVerdict.Busy);
        notes.Claims(range).Select(claim => claim.Claim.Worker).ShouldBe(["gone", "first"]);

        static WorkerNote Named(string name) =>
            new(name, name, 0, "here", 1, [], null, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, 0);
    }

    [Fact]
    public void A_note_that_was_cut_off_makes_way_and_units_that_were_there_tell_no_speed()
    {
        var place = new StoreKey("units", new string('b', 64));
        var notes = fleet.Folder.WorkOn(place);
        notes.Divide(new("units", Units));
        string division = Directory.GetFiles(fleet.Store, "division.json", SearchOption.AllDirectories).ShouldHaveSingleItem();
        File.WriteAllText(division, "{\"st");
        notes.Divide(new("units", Units));
        notes.Division!.Units.ShouldBe(Units);
        notes.MarkDone(new(0, 5), new("one", 0.001, 0));
        notes.SecondsPerUnit().ShouldBeNull();
        notes.MarkDone(new(5, 10), new("one", 8, 4));
        notes.SecondsPerUnit().ShouldBe(2);
    }

    private FleetTask Taken()
    {
        queue.TryTake(out var task).ShouldBeTrue();
        return task;
    }

    private async Task DoAllAsync(FleetWorker worker)
    {
        while (queue.TryTake(out var task)) await worker.DoAsync(task, Ending);
    }

    /// <summary>The first time that it is asked, something else happens before it answers.</summary>
    private sealed class InterruptedClock(Action first) : TimeProvider
    {
        private Action? pending = first;

        public override DateTimeOffset GetUtcNow()
        {
            Interlocked.Exchange(ref pending, null)?.Invoke();
            return base.GetUtcNow();
        }
    }

    /// <summary>Does something else than the work, which then failed.</summary>
    private sealed class FaultyMaker(Action instead) : IWorkMaker
    {
        public Task<WorkResult> MakeAsync(ClaimedWork work, Action<string> detail, CancellationToken cancellation)
        {
            instead();
            return Task.FromResult(new WorkResult(WorkOutcome.Failed, "no space is left"));
        }
    }
}
