using System.Collections.Concurrent;
using Distill.Pipeline.Runs;
using Distill.Service.Fleet;

namespace Distill.Pipeline.Tests.Fleet;

/// <summary>Who does what, and what becomes of work whose worker dies, freezes or is told twice; within one process.</summary>
public sealed class FleetWorkTests : IDisposable
{
    private const int Units = 20;

    private readonly ScriptedFleet fleet = new(Units);
    private readonly ListQueue queue = new();

    private static CancellationToken Ending => TestContext.Current.CancellationToken;

    public void Dispose() => fleet.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public async Task Any_number_of_workers_makes_the_same_and_every_unit_once(int count)
    {
        fleet.Dispatcher(queue).Begin(ScriptedFleet.Run);
        await queue.ServeAsync(fleet, Ending, [.. Enumerable.Range(0, count).Select(_ => fleet.Worker(queue))]);
        fleet.State.Progress.ShouldBe(RunProgress.Finished);
        fleet.Digest.ShouldBe(ScriptedFleet.DigestOf(Units));
        fleet.Made.Count.ShouldBe(Units);
        fleet.Made.Values.ShouldAllBe(made => made == 1);
        Directory.GetFiles(Path.Combine(fleet.Store, ".fleet", "work"), "*", SearchOption.AllDirectories).ShouldBeEmpty();
    }

    [Fact]
    public async Task Everything_handed_out_three_times_at_once_is_made_once()
    {
        queue.Copies = 3;
        fleet.Dispatcher(queue).Begin(ScriptedFleet.Run);
        await queue.ServeAsync(fleet, Ending, fleet.Worker(queue), fleet.Worker(queue), fleet.Worker(queue));
        fleet.Digest.ShouldBe(ScriptedFleet.DigestOf(Units));
        fleet.Made.Values.ShouldAllBe(made => made == 1);
    }

    [Fact]
    public async Task What_the_queue_forgets_is_handed_out_again()
    {
        var lossy = new LossyQueue(queue);
        fleet.Dispatcher(lossy).Begin(ScriptedFleet.Run);
        await queue.ServeAsync(fleet, Ending, fleet.Worker(lossy), fleet.Worker(lossy));
        fleet.Digest.ShouldBe(ScriptedFleet.DigestOf(Units));
        lossy.Lost.ShouldBeGreaterThan(5);
    }

    [Fact]
    public async Task A_unit_that_ends_its_worker_is_named_and_set_aside_and_the_others_are_made()
    {
        const int killer = 13;
        bool isCured = false;
        fleet.BeforeUnit = (_, unit) =>
        {
            if (unit == killer && !isCured) throw new DeathException();
        };
        var said = new ConcurrentQueue<string>();
        fleet.Dispatcher(queue).Begin(ScriptedFleet.Run);
        await queue.ServeAsync(
            fleet, Ending, Mortal(), fleet.Worker(queue, alter: inner => new MortalMaker(inner), said: said.Enqueue));
        var state = fleet.State;
        state.Progress.ShouldBe(RunProgress.Failed);
        state.Reason!.ShouldContain($"Of {Units} units of 'units' 1 failed 3 times each and were set aside ({killer})");
        state.Reason!.ShouldContain(": its process was killed (signal 9)");
        state.Reason!.ShouldContain("distill fleet retry scripted");
        fleet.Made.Keys.Order().ShouldBe(Enumerable.Range(0, Units).Where(unit => unit != killer));

        isCured = true;
        fleet.Dispatcher(queue).Begin(ScriptedFleet.Run);
        await queue.ServeAsync(fleet, Ending, Mortal());
        fleet.State.Progress.ShouldBe(RunProgress.Finished);
        fleet.Digest.ShouldBe(ScriptedFleet.DigestOf(Units));
        fleet.Made.Values.ShouldAllBe(made => made == 1);

        FleetWorker Mortal() => fleet.Worker(queue, alter: inner => new MortalMaker(inner));
    }

    [Fact]
    public async Task A_frozen_worker_is_replaced_and_harms_nothing_when_it_thaws()
    {
        using var thaw = new ManualResetEventSlim();
        string? frozen = null;
        fleet.BeforeUnit = (worker, unit) =>
        {
            if (Interlocked.CompareExchange(ref frozen, worker, null) is null) thaw.Wait(Ending);
        };
        var patience = TimeSpan.FromMilliseconds(400);
        var zombie = fleet.Worker(queue, patience); // nobody has it say that it is there
        fleet.Dispatcher(queue, patience).Begin(ScriptedFleet.Run);
        queue.TryTake(out var whole).ShouldBeTrue();
        await zombie.DoAsync(whole, Ending);
        queue.TryTake(out var first).ShouldBeTrue();
        var late = Task.Run(() => zombie.DoAsync(first, Ending), Ending);
        while (frozen is null) await Task.Delay(5, Ending);
        await queue.ServeAsync(fleet, Ending, fleet.Worker(queue, patience));
        string digest = fleet.Digest;
        digest.ShouldBe(ScriptedFleet.DigestOf(Units));
        thaw.Set();
        await late; // its unit is made twice, and equal
        fleet.Made[first.Range.First].ShouldBe(2);
        fleet.Digest.ShouldBe(digest);
        fleet.State.Progress.ShouldBe(RunProgress.Finished);
        new FleetFolder(fleet.Store).Orders().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_whole_stage_whose_worker_is_frozen_is_made_beside_it_from_its_last_state()
    {
        using var thaw = new ManualResetEventSlim();
        string? frozen = null;
        var patience = TimeSpan.FromMilliseconds(400);
        var zombie = fleet.Worker(queue, patience);
        fleet.Dispatcher(queue, patience).Begin(ScriptedFleet.Run);
        while (fleet.Orders.Find(ScriptedFleet.Run)!.Open.All(stage => stage.Stage != "sum"))
        {
            queue.TryTake(out var task).ShouldBeTrue();
            await zombie.DoAsync(task, Ending);
        }

        fleet.BeforeUnit = (worker, _) =>
        {
            if (Interlocked.CompareExchange(ref frozen, worker, null) is null) thaw.Wait(Ending);
        };
        queue.TryTake(out var sum).ShouldBeTrue();
        var late = Task.Run(() => zombie.DoAsync(sum, Ending), Ending);
        while (frozen is null) await Task.Delay(5, Ending);
        await queue.ServeAsync(fleet, Ending, fleet.Worker(queue, patience));
        fleet.WentOnFrom.ShouldBe(frozen);
        string digest = fleet.Digest, place = fleet.PlaceOf("2-sum");
        place.ShouldEndWith("~/2");
        thaw.Set();
        await late;
        (fleet.Digest, fleet.PlaceOf("2-sum")).ShouldBe((digest, place)); // what else was made was made from it
        digest.ShouldBe(ScriptedFleet.DigestOf(Units));
        fleet.State.Progress.ShouldBe(RunProgress.Finished);
    }

    [Fact]
    public async Task A_worker_that_is_stopped_gives_its_work_back_and_that_counts_for_nothing()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ending);
        var begun = new TaskCompletionSource();
        fleet.BeforeUnit = (_, unit) =>
        {
            if (unit != 3) return;
            begun.TrySetResult();
            stop.Token.WaitHandle.WaitOne();
        };
        fleet.Dispatcher(queue).Begin(ScriptedFleet.Run);
        var serving = queue.ServeAsync(fleet, stop.Token, fleet.Worker(queue));
        await begun.Task;
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => serving);
        await queue.ServeAsync(fleet, Ending, fleet.Worker(queue));
        fleet.Digest.ShouldBe(ScriptedFleet.DigestOf(Units));
        fleet.Made.Values.ShouldAllBe(made => made == 1);
    }

    [Fact]
    public async Task A_run_that_is_taken_back_ends_and_goes_on_when_it_is_given_again()
    {
        fleet.BeforeUnit = (_, unit) =>
        {
            if (unit == 5) FleetRun.Stop(fleet.Store, ScriptedFleet.Run, "taken back", TimeProvider.System);
        };
        fleet.Dispatcher(queue).Begin(ScriptedFleet.Run);
        await queue.ServeAsync(fleet, Ending, fleet.Worker(queue));
        (fleet.State.Progress, fleet.State.Reason).ShouldBe((RunProgress.Stopped, "taken back"));
        fleet.Made.Count.ShouldBeLessThan(Units);
        fleet.BeforeUnit = (_, _) => { };
        fleet.Dispatcher(queue).Begin(ScriptedFleet.Run);
        await queue.ServeAsync(fleet, Ending, fleet.Worker(queue));
        fleet.Digest.ShouldBe(ScriptedFleet.DigestOf(Units));
        fleet.Made.Values.ShouldAllBe(made => made == 1);
    }

    [Fact]
    public async Task The_status_tells_who_works_what_waits_and_what_was_set_aside()
    {
        var (begun, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        fleet.BeforeUnit = (_, unit) =>
        {
            if (unit == 4 && begun.TrySetResult()) go.Task.Wait(Ending);
        };
        fleet.Dispatcher(queue).Begin(ScriptedFleet.Run);
        var serving = queue.ServeAsync(fleet, Ending, fleet.Worker(queue));
        await begun.Task;
        var status = FleetStatus.Read(fleet.Store, TimeProvider.System);
        var worker = status.Workers.ShouldHaveSingleItem();
        worker.State.ShouldBe(WorkerState.Working);
        (worker.Note.Doing!.Stage, worker.Note.Doing.First, worker.Note.Doing.End).ShouldBe(("units", 4, 5));
        var stage = status.Runs.ShouldHaveSingleItem().Stages.ShouldHaveSingleItem();
        (stage.Stage, stage.Queue, stage.Units, stage.Done, stage.HasWorkers).ShouldBe(("units", "cpu", Units, 4, true));
        stage.AtWork.ShouldBe([worker.Note.Name]);
        go.SetResult();
        await serving;
        FleetStatus.Read(fleet.Store, TimeProvider.System).Runs.ShouldBeEmpty();
    }

    /// <summary>What a process does that is killed: it says nothing and is gone.</summary>
    private sealed class MortalMaker(IWorkMaker inner) : IWorkMaker
    {
        public async Task<WorkResult> MakeAsync(ClaimedWork work, Action<string> detail, CancellationToken cancellation)
        {
            try
            {
                return await inner.MakeAsync(work, detail, cancellation);
            }
            catch (DeathException)
            {
                return new(WorkOutcome.Died, "its process was killed (signal 9)");
            }
        }
    }

    private sealed class DeathException : Exception;

    /// <summary>Loses everything that is put in until somebody looks whether there is anything.</summary>
    private sealed class LossyQueue(ListQueue inner) : IWorkQueue
    {
        private bool isMended;

        public int Lost { get; private set; }

        public void Enqueue(FleetTask task, string queue)
        {
            if (isMended || Lost % 3 == 2) inner.Enqueue(task, queue);
            if (!isMended) Lost++;
        }

        public bool IsEmpty(string queue)
        {
            isMended |= Lost > 5;
            return inner.IsEmpty(queue);
        }
    }
}
