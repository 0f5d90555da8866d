using Distill.Service.Hosting;
using Distill.Service.Occurrences;
using Distill.Service.Running;
using Distill.Service.Schedules;
using Microsoft.Extensions.Time.Testing;

namespace Distill.Pipeline.Tests.Service;

/// <summary>Weeks of the service in a moment: looks, starts, losses and clocks that jump, over files that are real.</summary>
public sealed class ScheduleLoopTests : IDisposable
{
    private const string Text = """
        time_zone: Europe/Berlin
        schedules:
          - name: nightly
            recipe: nightly.yaml
            cron: "30 2 * * *"
            overlap: queue
            catch_up: all
            retries: &patient { attempts: 20, delay_minutes: 1 }
          - { name: often, recipe: nightly.yaml, cron: "15 */6 * * *", overlap: queue, catch_up: all, retries: *patient, resource: gpu }
          - { name: weekly, recipe: nightly.yaml, cron: "0 3 * * 0", overlap: queue, catch_up: all, retries: *patient }
        """;

    private readonly TemporaryFolder folder = SampleSchedules.Folder();
    private readonly Random random = new(20_26);
    private DateTimeOffset shown; // by the clock of the machine

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("2026-03-20T00:00Z")]
    [InlineData("2026-10-18T00:00Z")]
    public async Task Over_weeks_with_restarts_losses_faults_and_jumps_every_run_is_done_once(string start)
    {
        folder.File("schedules.yaml", Text);
        var begin = SampleSchedules.Utc(start);
        var now = begin;
        Set(begin);
        var done = new List<string>();
        var program = new ScriptedProgram((arguments, _) =>
        {
            if (random.Next(4) == 0) return Task.FromResult(1); // a fault, tried again
            done.Add(arguments[3]);
            return Task.FromResult(0);
        });
        var service = Restarted(program);
        service.Loop.Look(); // from now on what is due is its own
        for (int look = 0; look < 900; look++)
        {
            if (random.Next(30) == 0) service = Restarted(program);
            now = now.AddMinutes(random.Next(20) == 0 ? random.Next(60, 2000) : random.Next(1, 40));
            Set(random.Next(15) == 0 ? now.AddMinutes(-60) : random.Next(15) == 0 ? now.AddMinutes(60) : now);
            service.Loop.Look();
            await service.Queue.DoAsync(random);
        }

        for (int look = 0; look < 40; look++)
        {
            Set(now = now.AddMinutes(61));
            service.Loop.Look();
            await service.Queue.DoAsync(null);
        }

        var expected = ScheduleFile.Load(folder.File("schedules.yaml")).Schedules.SelectMany(schedule =>
            schedule.Times().Between(begin, now).Select(due => $"{schedule.Name}-{Occurrence.NameOf(due)}"));
        done.Count.ShouldBeGreaterThan(60);
        done.Distinct().Count().ShouldBe(done.Count);
        done.Order().ShouldBe(expected.Order());
    }

    /// <summary>A file where a schedule's folder should be: nothing of that schedule can be written.</summary>
    [Fact]
    public async Task What_is_wrong_with_one_schedule_keeps_no_other_from_its_time()
    {
        folder.File("schedules.yaml", Text);
        Set(SampleSchedules.Utc("2026-03-20T00:00Z"));
        folder.File("runs/.schedules/nightly", "no folder");
        var program = new ScriptedProgram(0);
        var service = Restarted(program);
        service.Loop.Look();
        Set(SampleSchedules.Utc("2026-03-20T23:30Z"));
        service.Loop.Look();
        await service.Queue.DoAsync(null);
        program.Calls.ShouldNotBeEmpty();
        program.Calls.ShouldAllBe(call => call[3].StartsWith("often-", StringComparison.Ordinal));
        service.Health.Reasons().ShouldContain(reason => reason.StartsWith("schedule 'nightly'", StringComparison.Ordinal));
        service.Health.IsReady.ShouldBeFalse();

        folder.File("schedules.yaml", Text.Replace("name: nightly", "name: daily", StringComparison.Ordinal) + "\n\n");
        service.Loop.Look();
        service.Health.Reasons().ShouldNotContain(reason => reason.Contains("'nightly'", StringComparison.Ordinal));
    }

    /// <summary>As a database that failed over does with what its successor had not been told. The clock is even put back.</summary>
    [Fact]
    public async Task What_the_queue_has_lost_is_handed_out_at_the_next_look()
    {
        folder.File("schedules.yaml", Text);
        Set(SampleSchedules.Utc("2026-03-20T02:00Z"));
        var program = new ScriptedProgram(0);
        var service = Restarted(program);
        service.Loop.Look();
        Set(SampleSchedules.Utc("2026-03-20T05:20Z"));
        service.Loop.Look();
        service.Loop.Look();
        service.Queue.Lose().ShouldBe(1); // not handed out twice while it waits
        Set(SampleSchedules.Utc("2026-03-20T04:50Z"));
        service.Loop.Look();
        await service.Queue.DoAsync(null);
        program.Calls.ShouldHaveSingleItem()[3].ShouldStartWith("often-");
    }

    private void Set(DateTimeOffset time) => shown = time;

    private (ScheduleLoop Loop, LossyQueue Queue, ServiceHealth Health) Restarted(ScriptedProgram program)
    {
        var clock = new JumpingClock(() => shown);
        var (store, book, secrets) = (new OccurrenceStore(folder.File("runs")),
            new ScheduleBook(folder.File("schedules.yaml")), new SecretText([]));
        var runner = new OccurrenceRunner(store, book, program,
            new FollowUps(store, book, program, new RecordingNotifiers(), secrets, clock), new LiveRuns(), secrets, clock);
        var queue = new LossyQueue(runner);
        var health = new ServiceHealth(store, book);
        var loop = new ScheduleLoop(store, book, queue, health, clock);
        queue.Returned = loop.Returned;
        return (loop, queue, health);
    }

    /// <summary>One that can be set back, which a FakeTimeProvider refuses. Its timers never come: nothing here waits.</summary>
    private sealed class JumpingClock(Func<DateTimeOffset> shown) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => shown();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            new FakeTimeProvider().CreateTimer(callback, state, dueTime, period);
    }

    /// <summary>Loses some of what it is handed, as one in memory does at a restart, and does some of it twice.</summary>
    private sealed class LossyQueue(OccurrenceRunner runner) : IOccurrenceQueue
    {
        private readonly Queue<(string Ticket, Occurrence Occurrence)> waiting = [];
        private int taken;

        public Action<string, string> Returned { get; set; } = (_, _) => { };

        public string Enqueue(Occurrence occurrence)
        {
            string ticket = $"{++taken}";
            waiting.Enqueue((ticket, occurrence));
            return ticket;
        }

        public bool Holds(string ticket) => waiting.Any(job => job.Ticket == ticket);

        /// <returns>How many were lost.</returns>
        public int Lose()
        {
            int lost = waiting.Count;
            waiting.Clear();
            return lost;
        }

        /// <param name="random">Null: nothing is lost.</param>
        public async Task DoAsync(Random? random)
        {
            while (waiting.TryDequeue(out var job))
            {
                var occurrence = job.Occurrence;
                if (random?.Next(5) == 0) continue;
                for (int times = random?.Next(3) == 0 ? 2 : 1; times > 0; times--)
                    await runner.CarryOnAsync(occurrence.Schedule, occurrence.Name, TestContext.Current.CancellationToken);
                Returned(occurrence.Schedule, occurrence.Name);
            }
        }
    }
}
