using Distill.Pipeline.Runs;
using Distill.Service.Fleet;
using Distill.Service.Occurrences;

namespace Distill.Pipeline.Tests.Service;

/// <summary>One occurrence from its making to its end, over a program that is a script.</summary>
public sealed class OccurrenceRunnerTests : CarriedOccurrence
{
    [Fact]
    public async Task A_run_is_started_with_its_name_and_the_values_of_its_day_and_is_over_once()
    {
        var program = new ScriptedProgram(0);
        var done = await CarryOn(program);
        (done.State, done.Closed is null, done.Attempts.Count).ShouldBe((OccurrenceState.Finished, false, 1));
        program.Calls.ShouldHaveSingleItem().ShouldBe(
        [
            "run", folder.File("nightly.yaml"), "--name", "nightly-20261128t013000z", "--runs", folder.File("runs"), "--json",
            "--set", "seed=20261128", "--set", "sft.epochs=2", "--set", "traces.from=data/2026-11-27",
        ]);
        await CarryOn(program);
        program.Calls.Count.ShouldBe(1);
        notifiers.Told.ShouldHaveSingleItem().Outcome.ShouldBe("finished");
    }

    [Fact]
    public async Task A_fault_is_tried_again_later_and_in_the_end_told_with_stage_reason_lines_and_command()
    {
        var program = new ScriptedProgram(1)
        {
            Says =
            [
                """{"event":"stage_started","stage":"sft","reason":"not done yet"}""", "something that is no JSON",
                """{"event":"progress","stage":"sft","done":1,"total":4,"unit":"steps","detail":"loss 0.5","rate":0,"rateUnit":""}""",
                """{"error":{"code":1,"kind":"fault","message":"No space left on device","hint":"","continue":"distill resume x"}}""",
            ],
        };
        var waiting = await CarryOn(program);
        (waiting.State, waiting.NotBefore is null).ShouldBe((OccurrenceState.Waiting, false));
        notifiers.Told.ShouldBeEmpty();
        (await CarryOn(program)).Attempts.Count.ShouldBe(1); // too early
        clock.Advance(TimeSpan.FromMinutes(10));
        await CarryOn(program);
        clock.Advance(TimeSpan.FromMinutes(20));
        var failed = await CarryOn(program);
        (failed.State, failed.Failures, failed.Closed is null).ShouldBe((OccurrenceState.Failed, 3, false));
        var notice = notifiers.Told.ShouldHaveSingleItem();
        notice.Headline.ShouldBe("nightly failed in sft: No space left on device");
        notice.LastLines.ShouldBe(["sft: not done yet", "something that is no JSON", "error: No space left on device"]);
        notice.Continue.ShouldBe("distill resume x");
        File.ReadAllText(store.LogPath(failed)).ShouldContain("something that is no JSON");
    }

    [Fact]
    public async Task A_run_that_another_process_has_taken_meanwhile_is_waited_for_and_no_failure()
    {
        var program = new ScriptedProgram(2)
        {
            Says = ["""{"error":{"code":2,"kind":"busy","message":"Another process is working on the run","hint":""}}"""],
        };
        var waiting = await CarryOn(program);
        (waiting.State, waiting.Failures, waiting.NotBefore).ShouldBe((OccurrenceState.Waiting, 0, null));
        waiting.Attempts.ShouldHaveSingleItem().End.ShouldBe(AttemptEnd.Busy);
        notifiers.Told.ShouldBeEmpty();
    }

    /// <summary>Said before any work, and no fault of the recipe's: a disk that is full at night may have room in ten minutes.</summary>
    [Fact]
    public async Task What_the_machine_lacks_at_the_moment_is_a_fault_that_is_tried_again()
    {
        var program = new ScriptedProgram(2)
        {
            Says = ["""{"error":{"code":2,"kind":"machine","message":"The disk is too small","hint":""}}"""],
        };
        var waiting = await CarryOn(program);
        (waiting.State, waiting.Failures, waiting.Reason).ShouldBe((OccurrenceState.Waiting, 1, "The disk is too small"));
        clock.Advance(TimeSpan.FromMinutes(10));
        (await CarryOn(new ScriptedProgram(0))).State.ShouldBe(OccurrenceState.Finished);
    }

    [Theory]
    [InlineData(2, "Failed")]
    [InlineData(3, "Refused")]
    public async Task A_wrong_recipe_and_a_gate_are_not_tried_again(int code, string state)
    {
        var done = await CarryOn(new ScriptedProgram(code));
        (done.State.ToString(), done.Attempts.Count, done.Closed is null).ShouldBe((state, 1, false));
    }

    [Fact]
    public async Task Stopped_it_waits_and_the_next_start_goes_on_without_counting_it_as_a_failure()
    {
        using var stop = new CancellationTokenSource();
        var program = new ScriptedProgram(async (_, cancellation) =>
        {
            MakeRun(RunProgress.Stopped);
            await stop.CancelAsync();
            cancellation.IsCancellationRequested.ShouldBeTrue();
            return 130;
        });
        var stopped = await CarryOn(program, null, stop.Token);
        (stopped.State, stopped.Failures, stopped.NotBefore).ShouldBe((OccurrenceState.Waiting, 0, null));
        var next = new ScriptedProgram(0);
        (await CarryOn(next)).State.ShouldBe(OccurrenceState.Finished);
        next.Calls.ShouldHaveSingleItem().ShouldBe(["resume", stopped.Run, "--runs", folder.File("runs"), "--json"]);
    }

    /// <summary>Workers go on without the service: a restart watches again, and what is cancelled is taken back from them.</summary>
    [Fact]
    public async Task A_run_of_workers_is_watched_again_after_a_restart_and_taken_back_when_it_is_cancelled()
    {
        string text = SampleSchedules.Text.Replace("then: { notify: team }", "fleet: true", StringComparison.Ordinal);
        var occurrence = SampleSchedules.Waiting("2026-11-28T01:30Z");
        var orders = new Orders(new FleetFolder(store.RunsFolder), clock);
        using var stop = new CancellationTokenSource();
        var killed = new ScriptedProgram(async (_, _) =>
        {
            MakeRun(RunProgress.Running);
            orders.TryCreate(occurrence.Run);
            await stop.CancelAsync();
            return 130;
        });
        await CarryOn(killed, text, stop.Token);
        killed.Calls.ShouldHaveSingleItem()[^1].ShouldBe("--fleet");
        var watching = new ScriptedProgram(async (_, cancellation) =>
        {
            store.AskToCancel(occurrence);
            while (!cancellation.IsCancellationRequested)
            {
                clock.Advance(TimeSpan.FromSeconds(1));
                await Task.Delay(5, Ending);
            }

            return 130;
        });
        (await CarryOn(watching, text)).State.ShouldBe(OccurrenceState.Cancelled);
        watching.Calls.ShouldHaveSingleItem().ShouldBe(["resume", occurrence.Run, "--runs", store.RunsFolder, "--json", "--fleet"]);
        orders.IsThere(occurrence.Run).ShouldBeFalse();
        RunState.TryRead(Path.Combine(store.RunsFolder, occurrence.Run))!.Progress.ShouldBe(RunProgress.Stopped);
    }

    [Fact]
    public async Task A_run_that_outlived_its_service_is_waited_for_and_taken_as_it_ended()
    {
        var occurrence = SampleSchedules.Waiting("2026-11-28T01:30Z") with
        {
            State = OccurrenceState.Running, Attempts = [new Attempt(clock.GetUtcNow())],
        };
        store.TryCreate(occurrence);
        var run = new RunFolder(store.RunsFolder, occurrence.Run);
        MakeRun(RunProgress.Running);
        var held = run.Lock();
        var program = new ScriptedProgram(0);
        var carrying = CarryOn(program);
        for (int look = 0; look < 5; look++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(20, Ending);
        }

        carrying.IsCompleted.ShouldBeFalse();
        MakeRun(RunProgress.Finished);
        held.Dispose();
        while (!carrying.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(20, Ending);
        }

        (await carrying).State.ShouldBe(OccurrenceState.Finished);
        program.Calls.ShouldBeEmpty();
        notifiers.Told.ShouldHaveSingleItem().Outcome.ShouldBe("finished");
    }

    [Fact]
    public async Task Asked_for_many_times_at_once_a_run_is_done_once()
    {
        var program = new ScriptedProgram(async (_, _) =>
        {
            await Task.Delay(50, Ending);
            return 0;
        });
        store.TryCreate(SampleSchedules.Waiting("2026-11-28T01:30Z"));
        folder.File("schedules.yaml", SampleSchedules.Text);
        var all = Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => CarryOn(program))));
        while (!all.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(20, Ending);
        }

        await all;
        program.Calls.Count.ShouldBe(1);
        notifiers.Told.Count.ShouldBe(1);
    }

    [Fact]
    public async Task One_that_makes_way_for_a_newer_one_is_stopped_and_not_told_of()
    {
        var occurrence = SampleSchedules.Waiting("2026-11-28T01:30Z");
        var program = new ScriptedProgram(async (_, cancellation) =>
        {
            store.AskToCancel(occurrence);
            while (!cancellation.IsCancellationRequested)
            {
                clock.Advance(TimeSpan.FromSeconds(1));
                await Task.Delay(10, Ending);
            }

            return 130;
        });
        var done = await CarryOn(program);
        (done.State, done.Reason, done.Closed is null).ShouldBe((OccurrenceState.Cancelled, "a newer one is due", false));
        notifiers.Told.ShouldBeEmpty();
    }

    [Fact]
    public async Task One_that_takes_longer_than_its_limit_is_stopped_and_told_of()
    {
        int minutes = 0;
        var program = new ScriptedProgram(async (_, cancellation) =>
        {
            for (; !cancellation.IsCancellationRequested; minutes++)
            {
                minutes.ShouldBeLessThan(10_000);
                clock.Advance(TimeSpan.FromMinutes(1));
                await Task.Delay(1, Ending);
            }

            return 130;
        });
        var done = await CarryOn(program, Limited(hours: 2));
        (done.State, done.Attempts.Single().End).ShouldBe((OccurrenceState.Failed, AttemptEnd.Limit));
        minutes.ShouldBeGreaterThanOrEqualTo(119);
        notifiers.Told.ShouldHaveSingleItem().Reason.ShouldBe("it took longer than limit_hours allows");
    }

    [Fact]
    public async Task A_limit_may_be_longer_than_any_timer_waits() =>
        (await CarryOn(new ScriptedProgram(0), Limited(hours: 8784))).State.ShouldBe(OccurrenceState.Finished);

    private static string Limited(int hours) => SampleSchedules.Text.Replace(
        "then: { notify: team }", $"then: {{ notify: team }}\n    limit_hours: {hours}", StringComparison.Ordinal);

    [Fact]
    public async Task A_run_that_takes_its_service_with_it_every_time_counts_as_crashed_and_is_not_begun_for_ever()
    {
        var lost = new Attempt(clock.GetUtcNow(), clock.GetUtcNow(), AttemptEnd.Lost);
        string text = SampleSchedules.Text + "\n    retries: { attempts: 0 }\n";
        store.TryCreate(Unfinished(lost));
        MakeRun(RunProgress.Running);
        var second = new ScriptedProgram(0);
        (await CarryOn(second, text)).State.ShouldBe(OccurrenceState.Finished); // twice may be a power failure
        second.Calls.Count.ShouldBe(1);

        store.Write(Unfinished(lost, lost));
        var third = new ScriptedProgram(0);
        var failed = await CarryOn(third);
        third.Calls.ShouldBeEmpty();
        (failed.State, failed.Attempts[^1].End).ShouldBe((OccurrenceState.Failed, AttemptEnd.Crash));
        failed.Reason.ShouldNotBeNull().ShouldContain("3 times in a row");
    }

    [Fact]
    public async Task A_run_that_outlived_its_service_keeps_others_from_its_resource()
    {
        var earlier = SampleSchedules.Waiting("2026-11-27T01:30Z") with
        {
            Schedule = "other", State = OccurrenceState.Running, Attempts = [new Attempt(clock.GetUtcNow())],
        };
        store.TryCreate(earlier);
        Directory.CreateDirectory(folder.File("runs/" + earlier.Run));
        var held = new RunFolder(store.RunsFolder, earlier.Run).Lock();
        var program = new ScriptedProgram(0);
        var carrying = CarryOn(program);
        for (int look = 0; look < 5; look++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(20, Ending);
        }

        program.Calls.ShouldBeEmpty();
        held.Dispose();
        while (!carrying.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(20, Ending);
        }

        (await carrying).State.ShouldBe(OccurrenceState.Finished);
    }

    [Fact]
    public async Task A_clock_that_was_set_back_makes_no_retry_wait_for_years()
    {
        store.TryCreate(SampleSchedules.Waiting("2026-11-28T01:30Z") with
        {
            NotBefore = clock.GetUtcNow().AddYears(12),
            Attempts = [new Attempt(clock.GetUtcNow().AddYears(12), clock.GetUtcNow().AddYears(12), AttemptEnd.Fault)],
        });
        var program = new ScriptedProgram(0);
        (await CarryOn(program)).State.ShouldBe(OccurrenceState.Waiting);
        clock.Advance(TimeSpan.FromMinutes(10));
        (await CarryOn(program)).State.ShouldBe(OccurrenceState.Finished);
    }

    [Theory]
    [InlineData(-9, "its process was ended by signal 9")]
    [InlineData(77, "its process ended with code 77")]
    public async Task A_process_that_dies_without_a_word_is_tried_again(int code, string reason)
    {
        var waiting = await CarryOn(new ScriptedProgram(code));
        (waiting.State, waiting.Reason).ShouldBe((OccurrenceState.Waiting, reason));
    }
}
