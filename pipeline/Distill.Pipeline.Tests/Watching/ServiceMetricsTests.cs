using System.Net;
using Distill.Data.Telemetry;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Runs.Live;
using Distill.Pipeline.Tests.Service;
using Distill.Service.Fleet;
using Distill.Service.Occurrences;
using Distill.Service.Watching;

namespace Distill.Pipeline.Tests.Watching;

/// <summary>What <c>/metrics</c> says, read as strictly as can be.</summary>
public sealed class ServiceMetricsTests : IDisposable
{
    private const string Key = "a-key-to-act-0123", ReadKey = "a-key-to-look-4567";

    private readonly TemporaryFolder folder = SampleSchedules.Folder();

    private static CancellationToken Ending => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Runs_schedules_disk_and_queue_are_there_and_runs_of_other_processes_too()
    {
        MakeRun("by-hand", RunProgress.Finished);
        MakeRun("broken", RunProgress.Failed);
        MakeRun("held", RunProgress.Running);
        var held = new RunFolder(folder.File("runs"), "held");
        using (var metrics = new RunMetrics(held.MetricsPath, TimeProvider.System))
            metrics.Add("sft", 7, new Dictionary<string, double> { ["loss"] = 0.5, ["tokens_per_second"] = 1234.5 });
        var stage = new StageProgressEntry("sft", StageStanding.Running) { Progress = new StageProgress(7, 28, "steps") };
        new ProgressFile(ProgressFile.CurrentFormat, DateTimeOffset.UtcNow, DateTimeOffset.UtcNow, [stage]).Write(held.Path);
        using var atWork = held.Lock();
        var store = new OccurrenceStore(folder.File("runs"));
        var due = DateTimeOffset.UtcNow.AddMinutes(-90);
        store.TryCreate(SampleSchedules.Waiting($"{due:yyyy-MM-dd'T'HH:mm'Z'}") with
        {
            State = OccurrenceState.Failed, Closed = due.AddMinutes(10),
            Attempts = [new Attempt(due, due.AddSeconds(90), AttemptEnd.Fault)],
        });
        var skipped = SampleSchedules.Waiting($"{due.AddMinutes(60):yyyy-MM-dd'T'HH:mm'Z'}"); // hides nothing of the one that failed
        store.TryCreate(skipped with { State = OccurrenceState.Skipped, Closed = due.AddMinutes(60) });
        await using var service = await WatchedService.Start(folder);
        var samples = await Scrape(service.Client());
        Of(samples, "distill_runs", ("state", "finished")).ShouldBe(1);
        Of(samples, "distill_runs", ("state", "failed")).ShouldBe(1);
        Of(samples, "distill_runs", ("state", "running")).ShouldBe(1);
        Of(samples, "distill_run_loss", ("run", "held"), ("stage", "sft")).ShouldBe(0.5);
        Of(samples, "distill_run_progress_ratio", ("run", "held"), ("stage", "sft")).ShouldBe(0.25);
        Of(samples, "distill_workers", ("state", "working")).ShouldBe(0);
        Of(samples, "distill_run_throughput", ("run", "held"), ("stage", "sft")).ShouldBe(1234.5);
        Of(samples, "distill_schedule_last_outcome", ("schedule", "nightly"), ("outcome", "failed")).ShouldBe(1);
        Of(samples, "distill_schedule_last_outcome", ("schedule", "nightly"), ("outcome", "finished")).ShouldBe(0);
        Of(samples, "distill_schedule_last_duration_seconds", ("schedule", "nightly")).ShouldBe(90);
        Of(samples, "distill_schedule_next_timestamp_seconds", ("schedule", "nightly"))
            .ShouldBeGreaterThan(DateTimeOffset.UtcNow.ToUnixTimeSeconds());
        Of(samples, "distill_schedule_paused", ("schedule", "nightly")).ShouldBe(0);
        Of(samples, "distill_queue_depth", ("resource", "cpu")).ShouldBe(0);
        Of(samples, "distill_ready").ShouldBe(1);
        Of(samples, "distill_disk_free_bytes").ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_run_that_workers_have_is_running_for_metrics_page_and_list_whatever_it_said_last()
    {
        MakeRun("theirs", RunProgress.Stopped);
        new Orders(new FleetFolder(folder.File("runs")), TimeProvider.System).TryCreate("theirs");
        RunCatalogue.List(folder.File("runs")).ShouldHaveSingleItem().State.ShouldBe("running");
        await using var service = await WatchedService.Start(folder);
        Of(await Scrape(service.Client()), "distill_runs", ("state", "running")).ShouldBe(1);
        using var client = service.Client();
        using var runs = System.Text.Json.JsonDocument.Parse(await client.GetStringAsync("/api/runs?state=running", Ending));
        runs.RootElement.GetRawText().ShouldContain("\"theirs\"");
    }

    [Fact]
    public async Task What_a_schedule_did_is_counted_and_a_paused_one_has_no_next_time()
    {
        await using var service = await WatchedService.Start(folder, program: new ScriptedProgram(0, 3));
        service.Store.SetPaused("nightly", true);
        for (int minute = 1; minute <= 2; minute++) service.Store.TryCreate(SampleSchedules.Waiting($"2026-11-28T01:3{minute}Z"));
        while (!service.Store.List("nightly").All(occurrence => occurrence.Closed is not null)) await Task.Delay(50, Ending);
        IReadOnlyList<ExposedSample> samples;
        do
        {
            samples = await Scrape(service.Client());
        }
        while (samples.Count(sample => sample.Name == "distill_schedule_runs_total") < 2);
        Of(samples, "distill_schedule_runs_total", ("schedule", "nightly"), ("outcome", "finished")).ShouldBe(1);
        Of(samples, "distill_schedule_runs_total", ("schedule", "nightly"), ("outcome", "refused")).ShouldBe(1);
        Of(samples, "distill_schedule_paused", ("schedule", "nightly")).ShouldBe(1);
        samples.ShouldNotContain(sample => sample.Name == "distill_schedule_next_timestamp_seconds");
    }

    [Fact]
    public async Task Who_may_not_look_does_not_see_them_and_the_refusal_is_counted()
    {
        await using var service = await WatchedService.Start(folder, options => options with { Key = Key, ReadKey = ReadKey });
        using (var refused = await service.Client().GetAsync("/metrics", Ending))
            refused.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        using (var wrong = await service.Client("no-key-of-theirs").GetAsync("/metrics", Ending))
            wrong.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        using (var taken = await service.Client(ReadKey).GetAsync("/metrics", Ending))
            taken.Content.Headers.ContentType!.ToString().ShouldBe(PrometheusText.ContentType);
        Of(await Scrape(service.Client(ReadKey)), "distill_requests_refused_total", ("reason", "key")).ShouldBe(1);
    }

    [Fact]
    public void Labels_with_everything_in_them_are_read_back_as_they_were()
    {
        const string Evil = "a\"b\\c\nd,e=\"f\"}";
        var text = PrometheusText.Write([(Instruments.Queued, [new(double.PositiveInfinity, Evil), new(-1.5e-7, "other")]),
            (Instruments.DiskFree, [])]);
        var samples = ExpositionText.Parse(text);
        samples.Select(sample => (sample.Labels["resource"], sample.Value)).ShouldBe([(Evil, double.PositiveInfinity), ("other", -1.5e-7)]);
    }

    [Fact]
    public async Task A_thousand_runs_are_counted_and_read_anew_only_when_they_changed()
    {
        for (int i = 0; i < 1000; i++) MakeRun($"run-{i}", i % 2 == 0 ? RunProgress.Finished : RunProgress.Failed);
        await using var service = await WatchedService.Start(folder);
        Of(await Scrape(service.Client()), "distill_runs", ("state", "finished")).ShouldBe(500);
        await Task.Delay(20, Ending);
        MakeRun("run-1", RunProgress.Finished);
        // Of the same length and time as before: whoever reads it again does not find a run in it.
        string unchanged = folder.File("runs/run-3/run.json");
        var written = File.GetLastWriteTimeUtc(unchanged);
        File.WriteAllBytes(unchanged, new byte[new FileInfo(unchanged).Length]);
        File.SetLastWriteTimeUtc(unchanged, written);
        IReadOnlyList<ExposedSample> samples;
        do
        {
            samples = await Scrape(service.Client());
        }
        while (Of(samples, "distill_runs", ("state", "finished")) < 501);
        Of(samples, "distill_runs", ("state", "failed")).ShouldBe(499);
    }

    private static double Of(IEnumerable<ExposedSample> samples, string name, params (string Name, string Value)[] labels) =>
        samples.Single(sample => sample.Name == name && labels.All(label => sample.Labels.GetValueOrDefault(label.Name) == label.Value))
            .Value;

    private static async Task<IReadOnlyList<ExposedSample>> Scrape(HttpClient client)
    {
        using (client) return ExpositionText.Parse(await client.GetStringAsync("/metrics", Ending));
    }

    private void MakeRun(string name, RunProgress progress)
    {
        string run = folder.File($"runs/{name}");
        Directory.CreateDirectory(run);
        File.WriteAllText(Path.Combine(run, "recipe.yaml"), $"name: {name}\n");
        new RunState(RunState.CurrentFormat, progress, null, run, null, DateTimeOffset.UtcNow).Write(run);
    }
}
