using Distill.Pipeline.Runs;
using Distill.Service.Occurrences;
using Distill.Service.Running;
using Distill.Service.Schedules;
using Microsoft.Extensions.Time.Testing;

namespace Distill.Pipeline.Tests.Service;

/// <summary>One occurrence from its making to its end, over a program that is a script.</summary>
public sealed class OccurrenceRunnerTests : IDisposable
{
    private readonly TemporaryFolder folder = SampleSchedules.Folder();
    private readonly FakeTimeProvider clock =
        new(SampleSchedules.Utc("2026-11-28T01:30Z")) { AutoAdvanceAmount = TimeSpan.FromMilliseconds(1) };
    private readonly RecordingNotifiers notifiers = new();
    private readonly OccurrenceStore store;

    public OccurrenceRunnerTests() => store = new(folder.File("runs"));

    private static CancellationToken Ending => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

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
    public async Task What_follows_a_run_is_done_in_order_once_and_its_trouble_is_told()
    {
        const string Then = "then: { push: 'hf://me/student-{date:yyyyMMdd}', notify: team }";
        var program = new ScriptedProgram((arguments, _) => Task.FromResult(arguments[0] == "push" ? 1 : 0));
        var done = await CarryOn(program, SampleSchedules.Text.Replace("then: { notify: team }", Then, StringComparison.Ordinal));
        program.Calls[1].ShouldBe(
            ["push", folder.File("runs/nightly-20261128t013000z/model"), "hf://me/student-20261128", "--json"]);
        done.Followed.ShouldBe(["push", "notify team"]);
        notifiers.Told.ShouldHaveSingleItem().Headline.ShouldBe("nightly finished, but then push: it ended with code 1");
    }

    [Fact]
    public async Task A_model_that_the_gate_of_promotion_refuses_is_not_pushed_and_the_refusal_is_told()
    {
        const string Then = "then: { promote: models/mine, push: hf://me/student, notify: team }";
        var program = new ScriptedProgram((arguments, _) => Task.FromResult(arguments[0] == "promote" ? 3 : 0));
        var done = await CarryOn(program, SampleSchedules.Text.Replace("then: { notify: team }", Then, StringComparison.Ordinal));
        program.Calls.Select(call => call[0]).ShouldBe(["run", "promote"]);
        program.Calls[1].ShouldBe(["promote", done.Run, "--to", folder.File("models/mine"), "--runs", folder.File("runs"), "--json"]);
        (done.State, done.Attempts.Count).ShouldBe((OccurrenceState.Refused, 1));
        var notice = notifiers.Told.ShouldHaveSingleItem();
        (notice.Headline, notice.Continue).ShouldBe(("nightly refused: promote: it ended with code 3", null));
    }

    [Theory]
    [InlineData(1, "nightly finished, but then promote: it ended with code 1")]
    [InlineData(-9, "nightly finished, but then promote: it ended with code -9")]
    public async Task A_model_that_could_not_be_promoted_is_not_pushed_and_the_promotion_stays_undone(int code, string headline)
    {
        const string Then = "then: { promote: models/mine, push: hf://me/student, notify: team }";
        var program = new ScriptedProgram((arguments, _) => Task.FromResult(arguments[0] == "promote" ? code : 0));
        var done = await CarryOn(program, SampleSchedules.Text.Replace("then: { notify: team }", Then, StringComparison.Ordinal));
        program.Calls.Select(call => call[0]).ShouldBe(["run", "promote"]);
        done.State.ShouldBe(OccurrenceState.Finished);
        done.Followed.ShouldBe(["notify team"]);
        notifiers.Told.ShouldHaveSingleItem().Headline.ShouldBe(headline);
    }

    [Fact]
    public async Task A_run_that_found_nothing_new_is_neither_promoted_nor_pushed_and_no_alarm()
    {
        const string Then = "then: { promote: models/mine, push: hf://me/student, notify: team }";
        var program = new ScriptedProgram((_, _) =>
        {
            MakeRun(RunProgress.Stopped, RunVerdict.EndedEarly, "nothing to do");
            return Task.FromResult(0);
        });
        var done = await CarryOn(program, SampleSchedules.Text.Replace("then: { notify: team }", Then, StringComparison.Ordinal));
        program.Calls.ShouldHaveSingleItem()[0].ShouldBe("run");
        (done.State, done.Reason).ShouldBe((OccurrenceState.Finished, "nothing to do"));
        notifiers.Told.ShouldHaveSingleItem().Headline.ShouldBe("nightly finished");
    }

    [Theory]
    [InlineData("Finished")]
    [InlineData("Failed")]
    public async Task A_run_whose_gate_refused_after_its_service_was_killed_is_refused_and_not_pushed(string progress)
    {
        const string Then = "then: { push: hf://me/student, notify: team }";
        store.TryCreate(Unfinished());
        MakeRun(Enum.Parse<RunProgress>(progress), RunVerdict.Refused, "a loss below 1 points is not shown");
        var program = new ScriptedProgram(0);
        var done = await CarryOn(program, SampleSchedules.Text.Replace("then: { notify: team }", Then, StringComparison.Ordinal));
        program.Calls.ShouldBeEmpty();
        (done.State, done.Reason).ShouldBe((OccurrenceState.Refused, "a loss below 1 points is not shown"));
        notifiers.Told.ShouldHaveSingleItem().Outcome.ShouldBe("refused");
    }

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

    [Fact]
    public async Task A_secret_that_a_run_says_is_in_no_log_record_or_message()
    {
        var program = new ScriptedProgram(1)
        {
            Says = ["sending key=hunter2-hunter2!",
                """{"error":{"code":1,"kind":"fault","message":"401 for hunter2-hunter2","hint":"","continue":null}}"""],
        };
        var failed = await CarryOn(program, SampleSchedules.Text + "\n    retries: { attempts: 0 }\n");
        failed.Reason.ShouldBe("401 for [secret]");
        notifiers.Told.ShouldHaveSingleItem().LastLines.ShouldBe(["sending key=[secret]!", "error: 401 for [secret]"]);
        foreach (string file in Directory.GetFiles(folder.File("runs/.schedules"), "*", SearchOption.AllDirectories))
            File.ReadAllText(file).ShouldNotContain("hunter2");
    }

    [Fact]
    public async Task A_secret_in_the_words_that_a_run_left_behind_is_in_no_record()
    {
        store.TryCreate(Unfinished());
        MakeRun(RunProgress.Failed, null, "401 for hunter2-hunter2");
        var failed = await CarryOn(new ScriptedProgram(0), SampleSchedules.Text + "\n    retries: { attempts: 0 }\n");
        failed.Reason.ShouldBe("401 for [secret]");
    }

    [Fact]
    public void What_an_edited_file_names_as_a_secret_is_one_from_then_on()
    {
        const string Before = "DISTILL_TEST_BEFORE", After = "DISTILL_TEST_AFTER";
        Environment.SetEnvironmentVariable(Before, "value-before");
        Environment.SetEnvironmentVariable(After, "value-after");
        try
        {
            string file = folder.File("schedules.yaml", SampleSchedules.Text.Replace("TEAM_HOOK", Before, StringComparison.Ordinal));
            var book = new ScheduleBook(file);
            var secrets = new SecretText(book, "given-one", null);
            secrets.Without("value-before value-after given-one").ShouldBe("[secret] value-after [secret]");
            folder.File("schedules.yaml", SampleSchedules.Text.Replace("TEAM_HOOK", After, StringComparison.Ordinal));
            book.Refresh();
            secrets.Without("value-before value-after").ShouldBe("[secret] [secret]");
        }
        finally
        {
            Environment.SetEnvironmentVariable(Before, null);
            Environment.SetEnvironmentVariable(After, null);
        }
    }

    [Theory]
    [InlineData("Host=x;Password=hunter2-hunter2;Nonsense=hunter2")]
    [InlineData("hunter2-hunter2")]
    [InlineData("Host=x;Port=hunter2")]
    public void A_connection_string_that_is_none_is_not_quoted(string text) =>
        Should.Throw<IOException>(() => RunQueue.Open(text)).ToString().ShouldNotContain("hunter2");

    private async Task<Occurrence> CarryOn(ScriptedProgram program, string? text = null, CancellationToken stopping = default)
    {
        string file = folder.File("schedules.yaml");
        if (!File.Exists(file)) folder.File("schedules.yaml", text ?? SampleSchedules.Text);
        var occurrence = SampleSchedules.Waiting("2026-11-28T01:30Z");
        store.TryCreate(occurrence);
        var (book, secrets) = (new ScheduleBook(file), new SecretText(["hunter2-hunter2", "abc"]));
        var runner = new OccurrenceRunner(
            store, book, program, new FollowUps(store, book, program, notifiers, secrets, clock), new LiveRuns(), secrets, clock);
        await runner.CarryOnAsync(occurrence.Schedule, occurrence.Name, stopping);
        return store.Find(occurrence.Schedule, occurrence.Name)!;
    }

    private Occurrence Unfinished(params Attempt[] before) => SampleSchedules.Waiting("2026-11-28T01:30Z") with
    {
        State = OccurrenceState.Running, Attempts = [.. before, new Attempt(clock.GetUtcNow())],
    };

    private void MakeRun(RunProgress progress, RunVerdict? verdict = null, string? reason = null)
    {
        string run = folder.File("runs/nightly-20261128t013000z");
        Directory.CreateDirectory(run);
        File.WriteAllText(Path.Combine(run, "recipe.yaml"), "name: nightly\n");
        new RunState(RunState.CurrentFormat, progress, null, run, reason, clock.GetUtcNow()) { Verdict = verdict }.Write(run);
    }
}
