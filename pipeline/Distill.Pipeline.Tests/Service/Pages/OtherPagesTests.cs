using System.Text.Json;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.Publishing;
using Distill.Service.Fleet;
using Distill.Service.Occurrences;
using Distill.Storage;

namespace Distill.Pipeline.Tests.Service.Pages;

/// <summary>Schedules with their history, the store, and workers.</summary>
public sealed class OtherPagesTests : IAsyncLifetime
{
    private const string Attack = "<script>alert(1)</script>";

    private readonly SampleTraceStore store = new(problems: 4);
    private PageServer? server;

    private PageServer Server => server!;

    public async ValueTask InitializeAsync() => server = await PageServer.StartAsync(store.Runs);

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        store.Dispose();
    }

    [Fact]
    public async Task A_schedule_shows_every_time_it_came_with_reasons_and_attempts()
    {
        var occurrences = new OccurrenceStore(store.Runs);
        var due = SampleSchedules.Utc("2026-11-20T01:30Z");
        occurrences.TryCreate(new Occurrence(
            Occurrence.CurrentFormat, "nightly", due, OccurrenceCause.CatchUp, OccurrenceState.Failed, "cpu", due)
        {
            Reason = $"the disk is full {Attack}", Closed = due,
            Attempts = [new Attempt(due, due.AddSeconds(75), AttemptEnd.Fault, "traces", Attack)],
        });
        for (int i = 0; i < 60; i++)
            occurrences.TryCreate(SampleSchedules.Waiting($"2026-10-01T{i / 3:D2}:{20 * (i % 3):D2}Z") with
                { State = OccurrenceState.Skipped, Reason = "an earlier one was at work", Closed = due });
        string page = await Server.PageAsync("/schedules/nightly");
        page.ShouldContain("caught up");
        page.ShouldContain("the disk is full &lt;script&gt;");
        page.ShouldContain("1:15 min in traces: &lt;script&gt;");
        page.ShouldContain("page 1 of 2");
        page.ShouldNotContain("<button"); // nobody signed in
        using var answer = JsonDocument.Parse(await Server.TextAsync("/api/schedules/nightly"));
        answer.RootElement.GetProperty("occurrences")[0].GetProperty("attempts")[0].GetProperty("end").GetString().ShouldBe("fault");
        answer.RootElement.GetProperty("next_times").GetArrayLength().ShouldBe(5);
        Server.SignIn(File.ReadAllText(occurrences.KeyFile).Trim());
        (await Server.PageAsync("/schedules/nightly")).ShouldContain("action=\"/schedules/nightly/pause\"");
    }

    [Fact]
    public async Task The_store_says_what_there_is_and_what_nobody_refers_to()
    {
        var lone = new ArtifactStore(Path.Combine(store.Runs, ArtifactStore.FolderName), TimeProvider.System);
        string work = lone.WorkFolder(new StoreKey("checkpoint", new string('c', 64)));
        Directory.CreateDirectory(work);
        var writer = new ArtifactWriter(work, "checkpoint", 1, []);
        writer.Write("weights.bin", new byte[5_000]);
        writer.Commit();
        string page = await Server.PageAsync("/store");
        page.ShouldContain("5.33 kB are used by no run"); // with its manifest
        page.ShouldContain("<span class=\"pill open\">unreferenced</span>");
        page.ShouldContain("used by sample/2-traces");
        using var answer = JsonDocument.Parse(await Server.TextAsync("/api/store?kind=checkpoint"));
        answer.RootElement.GetProperty("artefacts").GetProperty("all").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task A_run_that_workers_have_is_at_work_though_nobody_holds_it()
    {
        var run = new RunFolder(store.Runs, "sample");
        (RunState.TryRead(run.Path)! with { Progress = RunProgress.Running }).Write(run.Path);
        (await Server.PageAsync("/runs/sample")).ShouldContain("its process ended");
        var fleet = new FleetFolder(store.Runs);
        fleet.Create();
        NoteFile.Write(fleet.OrderNote("sample"), new Order("sample", DateTimeOffset.UtcNow, []));
        string page = await Server.PageAsync("/runs/sample");
        page.ShouldContain("<span class=\"pill busy\">running</span>");
        page.ShouldContain("with the workers");
    }

    [Fact]
    public async Task Workers_are_shown_with_what_they_do()
    {
        (await Server.PageAsync("/fleet")).ShouldContain("There was no worker here yet");
        var fleet = new FleetFolder(store.Runs);
        fleet.Create();
        var now = DateTimeOffset.UtcNow;
        NoteFile.Write(fleet.WorkerNote("bench"), new WorkerNote("bench", "s", 1, "host-7", 4711, ["gpu"], null, now, now, 12)
        {
            Doing = new WorkAtHand("sample", "traces", 40, 60, now, $"17 of 20 {Attack}"), Trouble = Attack,
        });
        using (FileLock.TryTake(fleet.WorkerLock("bench"), "test"))
        {
            string page = await Server.PageAsync("/fleet");
            page.ShouldContain("1 of 1 worker at work");
            page.ShouldContain("traces, units 40 to 59");
            page.ShouldContain("&lt;script&gt;");
            page.ShouldContain("href=\"/runs/sample\"");
        }

        (await Server.PageAsync("/fleet")).ShouldContain("<span class=\"pill bad\">gone</span>");
    }
}
