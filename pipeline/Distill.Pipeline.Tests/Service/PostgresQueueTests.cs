using Distill.Service.Hosting;
using Distill.Service.Occurrences;
using Distill.Service.Running;

namespace Distill.Pipeline.Tests.Service;

/// <summary>The queue in PostgreSQL, which goes away, comes back and forgets: every run is done once all the same.</summary>
public sealed class PostgresQueueTests : IDisposable
{
    private readonly TemporaryFolder folder = SampleSchedules.Folder();
    private readonly OccurrenceStore store;

    public PostgresQueueTests()
    {
        folder.File("schedules.yaml", """
            schedules:
              - { name: nightly, recipe: nightly.yaml, cron: "0 2 29 2 *", resource: cpu }
              - { name: other, recipe: nightly.yaml, cron: "0 2 29 2 *", resource: gpu }
            """);
        store = new(folder.File("runs"));
    }

    private static CancellationToken Ending => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Whatever_the_database_does_every_run_is_done_once()
    {
        using var database = PostgresServer.Start();
        var released = new TaskCompletionSource();
        var program = new ScriptedProgram(async (arguments, _) =>
        {
            if (arguments.Any(word => word.StartsWith("nightly", StringComparison.Ordinal))) await released.Task;
            return 0;
        });
        await using (var service = await Start(database, program))
        {
            var atWork = Ask("nightly");
            await Until(() => program.Calls.Count == 1);
            database.Stop(); // while a run is at work
            var meanwhile = Ask("other");
            await Until(async () => (await Health(service)).Contains("\"not ready\"", StringComparison.Ordinal));
            released.SetResult();
            await Until(() => IsClosed(atWork)); // the files know that it is done
            database.Resume();
            await Until(() => IsClosed(meanwhile));
            (await Health(service)).ShouldNotContain("not ready");
            await service.StopAsync();
        }

        var forgotten = Ask("nightly");
        database.Execute("drop schema distill cascade"); // with what it was handed
        await using (var service = await Start(database, program))
        {
            await Until(() => IsClosed(forgotten));
            await service.StopAsync();
        }

        program.Calls.Count.ShouldBe(3);
        store.List("nightly").Concat(store.List("other"))
            .ShouldAllBe(one => one.State == OccurrenceState.Finished && one.Attempts.Count == 1);
    }

    /// <summary>As a server does that takes over and had not been told of the last jobs.</summary>
    [Fact]
    public async Task What_the_database_has_lost_is_handed_out_again_at_once()
    {
        using var database = PostgresServer.Start();
        var released = new TaskCompletionSource();
        var program = new ScriptedProgram(async (_, _) =>
        {
            await released.Task;
            return 0;
        });
        await using var service = await Start(database, program);
        var atWork = Ask("nightly");
        await Until(() => program.Calls.Count == 1);
        var waiting = Ask("nightly");
        await Until(() => database.Execute("delete from distill.jobqueue where fetchedat is null") == 1);
        database.Execute("delete from distill.job where statename = 'Enqueued'").ShouldBe(1);
        released.SetResult();
        await Until(() => IsClosed(atWork) && IsClosed(waiting));
        await service.StopAsync();
        program.Calls.Count.ShouldBe(2);
    }

    /// <summary>Else everything that waits would be handed out again at every look.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_waits_or_is_being_done_is_held_and_nothing_else(bool isInPostgres)
    {
        using var database = isInPostgres ? PostgresServer.Start() : null;
        using var released = new ManualResetEventSlim();
        var begun = new TaskCompletionSource();
        using var queue = RunQueue.Open(database?.Connection);
        queue.Start(() =>
        {
            begun.TrySetResult();
            released.Wait(Ending);
            throw new InvalidOperationException("That was all.");
        });
        string atWork = queue.Enqueue(Ask("nightly"));
        await begun.Task;
        string waiting = queue.Enqueue(Ask("nightly"));
        queue.Holds(atWork).ShouldBeTrue();
        queue.Holds(waiting).ShouldBeTrue();
        queue.Holds("999999999").ShouldBeFalse();
        released.Set();
        await Until(() => !queue.Holds(atWork) && !queue.Holds(waiting));
    }

    [Fact]
    public async Task A_database_that_is_not_there_is_said_at_the_start_without_its_password()
    {
        var options = Options("Host=127.0.0.1;Port=9;Database=x;Username=me;Password=hunter2-hunter2;Timeout=2");
        var fault = await Should.ThrowAsync<IOException>(() =>
            ScheduleService.StartAsync(options, new ScriptedProgram(0), TimeProvider.System, Ending));
        fault.ToString().ShouldNotContain("hunter2");
        await using var service = await ScheduleService.StartAsync(Options(null), new ScriptedProgram(0), TimeProvider.System, Ending);
        await service.StopAsync(); // the folder was given back
    }

    private ServiceOptions Options(string? postgres) => new()
    {
        RunsFolder = folder.File("runs"), SchedulesFile = folder.File("schedules.yaml"), Port = 0, Postgres = postgres,
    };

    private Task<ScheduleService> Start(PostgresServer database, ScriptedProgram program) =>
        ScheduleService.StartAsync(Options(database.Connection), program, TimeProvider.System, Ending);

    private Occurrence Ask(string schedule) => Asked.Make(store, new() { Name = schedule, Resource = schedule == "other" ? "gpu" : "cpu" },
        TimeProvider.System);

    private bool IsClosed(Occurrence occurrence) => store.Find(occurrence.Schedule, occurrence.Name) is { Closed: not null };

    private static async Task<string> Health(ScheduleService service)
    {
        using var client = new HttpClient { BaseAddress = service.Address };
        return await client.GetStringAsync("/health", Ending);
    }

    private static Task Until(Func<bool> condition) => Until(() => Task.FromResult(condition()));

    private static async Task Until(Func<Task<bool>> condition)
    {
        while (!await condition()) await Task.Delay(50, Ending);
    }
}
