using System.Diagnostics;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Runs.Live;
using Distill.Pipeline.Tests.Publishing;

namespace Distill.Pipeline.Tests.Service.Pages;

/// <summary>
/// The pages in a real browser: nothing on its console, no width that does not fit, the keyboard's way, and what changes without loading.
/// </summary>
public sealed class PageBrowserTests : IDisposable
{
    private const string Browser = "/usr/bin/chromium", Variable = "DISTILL_PLAYWRIGHT";

    private static readonly string[] Pages =
    [
        "/", "/runs", "/runs/live", "/runs/live/log", "/runs/sample", "/runs/sample/lineage", "/runs/sample/traces",
        "/runs/sample/traces?at=5", "/compare?a=sample&b=live", "/models", "/store", "/fleet", "/schedules/nightly",
    ];

    private readonly SampleTraceStore store = new(
        problems: 60, recipe: $"teacher: {{ model: {RepositoryFolder.Root}/teacher/models/tiny-reasoner }}\n");

    public void Dispose() => store.Dispose();

    [Fact]
    public async Task A_browser_finds_nothing_wrong_with_the_pages()
    {
        Assert.SkipUnless(File.Exists(Browser), $"No browser at {Browser}.");
        Assert.SkipUnless(
            Environment.GetEnvironmentVariable(Variable) is { Length: > 0 }, $"{Variable} names no folder with playwright-core.");
        var run = BeginLive();
        using var held = run.Lock();
        await using var server = await PageServer.StartAsync(store.Runs);
        string pictures = Environment.GetEnvironmentVariable("DISTILL_PICTURES") ?? store["pictures"];
        Directory.CreateDirectory(pictures);
        var start = new ProcessStartInfo("node")
            { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        string script = Path.Combine(RepositoryFolder.Root, "pipeline/Distill.Pipeline.Tests/Service/Pages/look.mjs");
        string address = server.Address.ToString().TrimEnd('/');
        foreach (string word in (string[])[script, Browser, address, pictures, .. Pages]) start.ArgumentList.Add(word);
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var said = new List<string>();
        while (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            if (line != "go on")
            {
                said.Add(line);
                continue;
            }

            Show(run, done: 90);
            await process.StandardInput.WriteLineAsync("gone on");
        }

        said.ShouldBe(["done"], await errors);
        Directory.EnumerateFiles(pictures, "*.png").Count().ShouldBe(6 * Pages.Length);
    }

    private RunFolder BeginLive()
    {
        var run = new RunFolder(store.Runs, "live");
        Directory.CreateDirectory(run.Path);
        File.WriteAllText(run.RecipePath, "name: live\n");
        new RunState(RunState.CurrentFormat, RunProgress.Running, null, run.Path, null, DateTimeOffset.UtcNow).Write(run.Path);
        File.WriteAllText(run.LogPath, "2026-11-28T02:00:00Z sft: not done yet\n");
        File.WriteAllText(run.MetricsPath, string.Concat(Enumerable.Range(1, 30).Select(step =>
            $"{{\"stage\":\"sft\",\"step\":{step},\"loss\":{3.0 / step},\"learning_rate\":0.001}}\n")));
        Show(run, done: 30);
        return run;
    }

    private static void Show(RunFolder run, int done) => new ProgressFile(
        ProgressFile.CurrentFormat, DateTimeOffset.UtcNow, DateTimeOffset.UtcNow,
        [
            new StageProgressEntry("traces", StageStanding.Done) { Reason = "not done yet", Summary = "9 traces", Seconds = 61 },
            new StageProgressEntry("sft", StageStanding.Running)
            {
                Reason = "sft.epochs: 2 → 3", SecondsLeft = 95,
                Progress = new StageProgress(done, 120, "steps", "loss 0.5", 900, "tokens/s"),
            },
            new StageProgressEntry("onnx", StageStanding.Waiting),
        ]).Write(run.Path);
}
