using System.Net;
using System.Text.Json;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Runs.Live;
using Distill.Pipeline.Tests.Publishing;
using Distill.Service.Pages.Runs;

namespace Distill.Pipeline.Tests.Service.Pages;

/// <summary>What is seen of runs: those at work, whoever started them, those that ended, their curves, logs and differences.</summary>
public sealed class RunPagesTests : IAsyncLifetime
{
    private const string Attack = "<script>alert(1)</script><img src=x onerror=alert(1)>";

    private readonly SampleTraceStore store = new(problems: 4);
    private PageServer? server;

    private PageServer Server => server!;

    public async ValueTask InitializeAsync() => server = await PageServer.StartAsync(store.Runs);

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        store.Dispose();
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/runs")]
    [InlineData("/runs?q=sam&state=finished")]
    [InlineData("/runs/sample")]
    [InlineData("/runs/sample/log")]
    [InlineData("/runs/sample/lineage")]
    [InlineData("/runs/sample/traces")]
    [InlineData("/runs/sample/traces?at=1")]
    [InlineData("/compare?a=sample&b=sample")]
    [InlineData("/models")]
    [InlineData("/store")]
    [InlineData("/store?kind=traces")]
    [InlineData("/fleet")]
    [InlineData("/schedules/nightly")]
    public async Task Every_page_is_there_and_keeps_to_its_policy(string path)
    {
        string page = await Server.PageAsync(path);
        page.ShouldContain("<a class=\"skip\" href=\"#content\">");
        page.ShouldContain("<noscript><meta http-equiv=\"refresh\"");
        page.ShouldContain("aria-current=\"page\"");
    }

    [Theory]
    [InlineData("/runs/none")]
    [InlineData("/runs/none/log")]
    [InlineData("/runs/none/traces")]
    [InlineData("/runs/sample/card")]
    [InlineData("/runs/sample/report.html")]
    [InlineData("/runs/.store")]
    [InlineData("/runs/..%2fsample")]
    [InlineData("/runs/sample/traces?at=100000")]
    [InlineData("/schedules/none")]
    [InlineData("/api/runs/none")]
    [InlineData("/api/schedules/none")]
    [InlineData("/api/compare?a=sample&b=none")]
    public async Task What_is_not_there_is_not_found(string path) =>
        (await Server.StatusAsync(path)).ShouldBe(HttpStatusCode.NotFound);

    [Fact]
    public async Task A_run_that_another_process_does_is_seen_at_work_with_the_time_it_still_takes()
    {
        var run = Begin("elsewhere", RunProgress.Running);
        using (run.Lock())
        {
            Progress(run, new StageProgressEntry("sft", StageStanding.Running)
            {
                Reason = "sft.epochs: 2 → 3", Progress = new StageProgress(30, 120, "steps", $"loss 0.5 {Attack}"), SecondsLeft = 95,
            });
            string page = await Server.PageAsync("/runs/elsewhere");
            page.ShouldContain("value=\"0.25\"");
            page.ShouldContain("30/120 steps");
            page.ShouldContain("1:35 min left");
            page.ShouldContain("sft.epochs: 2 → 3");
            page.ShouldNotContain("<img");
            page.ShouldContain("data-refresh=\"3\"");
            (await Server.PageAsync("/")).ShouldContain("1 run is at work");
            using var answer = JsonDocument.Parse(await Server.TextAsync("/api/runs?state=running"));
            answer.RootElement.GetProperty("items")[0].GetProperty("status").GetProperty("stage").GetString().ShouldBe("sft");
        }

        string after = await Server.PageAsync("/runs/elsewhere");
        after.ShouldContain("its process ended");
        after.ShouldContain("interrupted");
        after.ShouldNotContain("min left");
        (await Server.PageAsync("/")).ShouldContain("Nothing runs");
    }

    [Fact]
    public async Task Texts_of_runs_are_shown_and_never_run()
    {
        var run = Begin("hostile", RunProgress.Failed, Attack);
        Progress(run, new StageProgressEntry(Attack, StageStanding.Done) { Reason = Attack, Summary = Attack });
        File.WriteAllLines(run.MetricsPath, Enumerable.Range(0, 3).Select(step => JsonSerializer.Serialize(
            new Dictionary<string, object> { ["stage"] = Attack, ["step"] = step, [Attack] = step, ["loss"] = 1 })));
        File.WriteAllText(run.LogPath, $"2026-11-28T02:00:00Z {Attack}\n");
        File.WriteAllText(run.RecipePath, $"name: hostile\nseed: \"{Attack}\"\n");
        foreach (string path in (string[])["/", "/runs/hostile", "/runs/hostile/log", "/compare?a=hostile&b=sample"])
            (await Server.PageAsync(path)).ShouldContain("&lt;script&gt;");
        (await Server.PageAsync("/runs?q=%3Cscript%3E")).ShouldContain("value=\"&lt;script&gt;\"");
        (await Server.PageAsync("/compare?a=%3Cscript%3E&b=sample")).ShouldContain("&lt;script&gt;");
    }

    [Fact]
    public async Task Secrets_are_in_no_log_page_or_answer()
    {
        const string secret = "hunter2-hunter2";
        Environment.SetEnvironmentVariable("PAGE_TEST_TOKEN", secret);
        try
        {
            await using var other = await PageServer.StartAsync(store["others"]);
            var run = new RunFolder(store["others"], "careless");
            Directory.CreateDirectory(run.Path);
            new RunState(RunState.CurrentFormat, RunProgress.Failed, null, run.Path, $"401 for {secret}", DateTimeOffset.UtcNow)
                .Write(run.Path);
            File.WriteAllText(run.RecipePath, $"name: careless # {secret}\n");
            File.WriteAllText(run.LogPath, $"2026-11-28T02:00:00Z sent {secret}\n");
            Progress(run, new StageProgressEntry("traces", StageStanding.Done) { Reason = secret, Summary = secret });
            foreach (string path in (string[])["/", "/runs/careless", "/runs/careless/log", "/runs/careless/log.txt", "/api/runs",
                "/runs/careless/recipe.yaml",
                "/api/runs/careless", "/api/runs/careless/log", "/api/overview"])
                (await other.TextAsync(path)).ShouldNotContain(secret, Case.Sensitive, path);
        }
        finally
        {
            Environment.SetEnvironmentVariable("PAGE_TEST_TOKEN", null);
        }
    }

    [Fact]
    public async Task Many_runs_are_shown_in_pages_the_newest_first()
    {
        for (int i = 0; i < 120; i++) Begin($"many-{i:D3}", RunProgress.Finished, minutes: i);
        string first = await Server.PageAsync("/runs?q=many");
        first.ShouldContain("120 runs");
        first.ShouldContain(">many-119<");
        first.ShouldNotContain(">many-069<");
        first.ShouldContain("page 1 of 3");
        (await Server.PageAsync("/runs?q=many&page=3")).ShouldContain(">many-000<");
        (await Server.PageAsync("/runs?q=many&page=99")).ShouldContain("page 3 of 3");
    }

    [Fact]
    public void Curves_follow_the_file_and_forget_steps_that_were_done_again()
    {
        string path = store["metrics.jsonl"];
        var curves = new RunCurves();
        curves.Of(path).ShouldBeEmpty();
        File.AppendAllText(path, Line(1, 3) + Line(2, 2) + Line(3, 1) + "{\"stage\":\"sft\",\"st");
        curves.Of(path).Single().Points.ShouldBe([(1, 3), (2, 2), (3, 1)]);
        File.AppendAllText(path, "\n" + Line(2, 5) + Line(3, 4));
        curves.Of(path).Single().Points.ShouldBe([(1, 3), (2, 5), (3, 4)]);
        File.WriteAllText(path, Line(1, 9));
        curves.Of(path).Single().Points.ShouldBe([(1, 9)]);
        File.AppendAllText(path, string.Concat(Enumerable.Range(2, 20_000).Select(step => Line(step, step))));
        var points = curves.Of(path).Single().Points;
        points.Count.ShouldBeInRange(1_000, 4_000);
        points[^1].Step.ShouldBeGreaterThan(19_900);
        static string Line(int step, double loss) => $"{{\"stage\":\"sft\",\"step\":{step},\"loss\":{loss}}}\n";
    }

    private RunFolder Begin(string name, RunProgress progress, string? reason = null, int minutes = 0)
    {
        var run = new RunFolder(store.Runs, name);
        Directory.CreateDirectory(run.Path);
        File.WriteAllText(run.RecipePath, $"name: {name}\n");
        var changed = SampleSchedules.Utc("2026-11-27T02:00Z").AddMinutes(minutes);
        new RunState(RunState.CurrentFormat, progress, null, run.Path, reason, changed).Write(run.Path);
        return run;
    }

    private static void Progress(RunFolder run, params StageProgressEntry[] stages) =>
        new ProgressFile(ProgressFile.CurrentFormat, DateTimeOffset.UtcNow, DateTimeOffset.UtcNow, stages).Write(run.Path);
}
