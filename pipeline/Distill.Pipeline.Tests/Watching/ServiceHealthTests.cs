using System.Net;
using System.Text.Json;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.Service;
using Distill.Service.Hosting;
using Distill.Service.Occurrences;
using Distill.Service.Running;
using Distill.Service.Schedules;
using Microsoft.Extensions.Time.Testing;

namespace Distill.Pipeline.Tests.Watching;

/// <summary>Well, ready, degraded and why: what each part does to each.</summary>
public sealed class ServiceHealthTests : IDisposable
{
    private readonly TemporaryFolder folder = SampleSchedules.Folder();
    private readonly FakeTimeProvider clock = new(SampleSchedules.Utc("2026-11-28T02:00Z"));
    private readonly OccurrenceStore store;
    private readonly LiveRuns live = new();
    private readonly ServiceHealth health;

    public ServiceHealthTests()
    {
        folder.File("schedules.yaml", SampleSchedules.Text.Replace("- { name: team, webhook_env: TEAM_HOOK, style: slack }",
            "- { name: team, command: /bin/true }", StringComparison.Ordinal));
        store = new OccurrenceStore(folder.File("runs"));
        health = new ServiceHealth(store, new ScheduleBook(folder.File("schedules.yaml")), live, clock);
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_service_that_no_longer_looks_at_its_schedules_is_neither_live_nor_ready()
    {
        (health.IsLive, health.IsReady, health.Reasons().Count).ShouldBe((true, true, 0));
        clock.Advance(ServiceHealth.LongestLook - TimeSpan.FromSeconds(1));
        health.IsLive.ShouldBeTrue();
        clock.Advance(TimeSpan.FromSeconds(1));
        (health.IsLive, health.IsReady).ShouldBe((false, false));
        health.Reasons().ShouldHaveSingleItem().ShouldContain("not looked at");
        health.Looked();
        (health.IsLive, health.IsReady).ShouldBe((true, true));
    }

    [Fact]
    public void A_run_that_says_nothing_for_an_hour_is_named_until_it_speaks_or_ends()
    {
        var words = new RunWords(clock, new SecretText([]));
        using (live.Show("nightly-x", words))
        {
            clock.Advance(ServiceHealth.LongestSilence - TimeSpan.FromMinutes(1));
            health.Looked();
            health.Reasons().ShouldBeEmpty();
            clock.Advance(TimeSpan.FromMinutes(2));
            health.Looked();
            health.Reasons().ShouldBe(["'nightly-x' has said nothing for 61 minutes"]);
            health.IsReady.ShouldBeTrue();
            words.Hear(new SpokenLine("""{"event":"progress","stage":"sft","done":1,"total":2}""", false));
            health.Reasons().ShouldBeEmpty();
            clock.Advance(2 * ServiceHealth.LongestSilence);
        }

        health.Looked();
        health.Reasons().ShouldBeEmpty();
    }

    [Fact]
    public void What_was_due_and_was_not_started_is_named_unless_something_is_in_its_way()
    {
        store.TryCreate(SampleSchedules.Waiting("2026-11-28T01:30Z"));
        health.Reasons().ShouldBe(["'nightly-20261128t013000z' was due at 2026-11-28 01:30 UTC and has not been started"]);
        health.IsReady.ShouldBeTrue();
        using (Distill.Storage.FileLock.TryTake(store.ResourceLock("cpu"), "another run")) health.Reasons().ShouldBeEmpty();
        store.Write(SampleSchedules.Waiting("2026-11-28T01:30Z") with { NotBefore = clock.GetUtcNow().AddMinutes(5) });
        health.Reasons().ShouldBeEmpty();
        store.Write(SampleSchedules.Waiting("2026-11-28T01:30Z") with { Decided = clock.GetUtcNow() }); // asked for just now
        health.Reasons().ShouldBeEmpty();
    }

    [Fact]
    public void A_database_that_is_gone_and_a_disk_that_refuses_keep_it_from_being_ready_until_they_are_back()
    {
        health.Try("queue", () => throw new TimeoutException("gone")).ShouldBeFalse();
        (health.IsReady, health.Reasons().Single()).ShouldBe((false, "queue: gone"));
        health.Try("queue", () => { }).ShouldBeTrue();
        health.Try("removing old runs of 'nightly'", () => throw new IOException("no space left"), stopsRuns: false);
        (health.IsReady, health.Reasons().Count).ShouldBe((true, 1)); // the rest goes on
        health.Parts().Keys.ShouldBe(["removing old runs of 'nightly'"]);
        Should.Throw<InvalidOperationException>(() => health.Try("queue", () => throw new InvalidOperationException())); // ours to mend
    }

    /// <summary>A link to itself stands for a file that the disk gives back no more.</summary>
    [Fact]
    public async Task A_file_that_cannot_be_read_is_named_and_ends_neither_the_service_nor_what_it_shows()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Making a link needs rights on Windows.");
        await using var service = await WatchedService.Start(folder);
        using var client = service.Client();
        string unreadable = Path.Combine(service.Store.Root, "nightly", "20200101t013000z.json");
        Directory.CreateDirectory(Path.GetDirectoryName(unreadable)!);
        File.CreateSymbolicLink(unreadable, unreadable);
        string run = folder.File("runs/nightly-20200101t013000z");
        Directory.CreateDirectory(run);
        new RunState(RunState.CurrentFormat, RunProgress.Finished, null, run, null, clock.GetUtcNow()).Write(run);
        while (!service.Log.Contains("cannot be seen what 'nightly' missed", StringComparison.Ordinal))
        {
            using var answer = await client.GetAsync("/health", TestContext.Current.CancellationToken);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK, service.Log);
        }

        foreach (string page in (string[])["/", "/runs", "/metrics", "/api/schedules", "/health"])
        {
            using var answer = await client.GetAsync(page, TestContext.Current.CancellationToken);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK, page);
        }

        File.Delete(unreadable);
        string over = "\"event\":\"fault_over\",\"part\":\"missed nightly\"";
        while (!service.Log.Contains(over, StringComparison.Ordinal)) await Task.Delay(50, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Probes_are_answered_by_what_is_so_and_the_log_says_when_it_changed()
    {
        await using var service = await WatchedService.Start(folder, options => options with { Key = "a-key-to-act-0123" });
        using var client = service.Client();
        foreach (string probe in (string[])["/health/live", "/health/ready"])
        {
            using var answer = await client.GetAsync(probe, TestContext.Current.CancellationToken);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        folder.File("schedules.yaml", "schedules: [ { name: x } ]");
        while (!service.Log.Contains("\"fault\"", StringComparison.Ordinal)) await Task.Delay(50, TestContext.Current.CancellationToken);
        folder.File("schedules.yaml", SampleSchedules.Text.Replace("webhook_env: TEAM_HOOK, style: slack", "command: /bin/true",
            StringComparison.Ordinal));
        while (!service.Log.Contains("\"fault_over\"", StringComparison.Ordinal))
            await Task.Delay(50, TestContext.Current.CancellationToken);
        var events = service.Log.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)
            .Where(line => line.GetProperty("event").GetString() is "fault" or "fault_over").ToList();
        events.Count.ShouldBe(2); // it is said once, not with every look
        events.ShouldAllBe(line => line.GetProperty("part").GetString() == "schedules.yaml");
    }
}
