using System.Diagnostics;
using System.Text.Json;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.CommandLine;
using Distill.Pipeline.Tests.Runs;
using Distill.Pipeline.Tests.Testing;
using Distill.Service.Occurrences;
using Distill.Storage;

namespace Distill.Pipeline.Tests.Service;

/// <summary><c>distill serve</c> as a process with real runs: stopped, killed and started again, with commands beside it.</summary>
public sealed class ServiceProcessTests(PipelineRunTests.FinishedRun finished) : IClassFixture<PipelineRunTests.FinishedRun>, IDisposable
{
    private readonly TemporaryFolder folder = new();

    private static CancellationToken Ending => TestContext.Current.CancellationToken;

    private string Runs => folder.File("runs");

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Stopped_killed_and_started_again_a_scheduled_run_is_complete_once_with_the_digests_of_a_calm_one()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no SIGINT to send on Windows.");
        string file = Schedules();
        Occurrence occurrence;
        using (var serving = await Serve(file))
        {
            CommandLineRun.Of("schedule", "run", "small", "--schedules", file, "--runs", Runs).Code.ShouldBe(0); // is served
            occurrence = new OccurrenceStore(Runs).List("small").ShouldHaveSingleItem();
            await Until(() => Directory.Exists(Path.Combine(Runs, occurrence.Run, "1-problems")));
            using (var signal = Process.Start("kill", ["-TERM", $"{serving.Id}"])) await signal.WaitForExitAsync(Ending);
            await serving.WaitForExitAsync(Ending);
            serving.ExitCode.ShouldBe(0);
        }

        var stopped = Now(occurrence);
        (stopped.State, stopped.Failures, stopped.Attempts[^1].End).ShouldBe((OccurrenceState.Waiting, 0, AttemptEnd.Stopped));
        RunState.TryRead(Path.Combine(Runs, occurrence.Run))!.Progress.ShouldBe(RunProgress.Stopped); // by itself, not by force

        using (var serving = await Serve(file))
        {
            await Until(() => Now(occurrence).Attempts.Count == 2 && new RunFolder(Runs, occurrence.Run).IsLocked());
            serving.Kill(); // the run outlives it
            await serving.WaitForExitAsync(Ending);
        }

        using (var serving = await Serve(file))
        {
            await Until(() => Now(occurrence).Closed is not null);
            using (var signal = Process.Start("kill", ["-INT", $"{serving.Id}"])) await signal.WaitForExitAsync(Ending);
            await serving.WaitForExitAsync(Ending);
        }

        Now(occurrence).State.ShouldBe(OccurrenceState.Finished);
        SmallRun.LockOf(Runs, occurrence.Run).ShouldBe(SmallRun.LockOf(finished.Folder));
    }

    [Fact]
    public void Schedules_are_listed_paused_and_run_without_a_server()
    {
        string file = Schedules("name: broken\nteacher: { model: none }\n");
        string[] words = ["--schedules", file, "--runs", Runs, "--json"];
        CommandLineRun.Of(["schedule", "pause", "small", .. words]).Json().GetProperty("changed").GetBoolean().ShouldBeTrue();
        CommandLineRun.Of(["schedule", "pause", "small", .. words]).Json().GetProperty("changed").GetBoolean().ShouldBeFalse();
        Listed().GetProperty("state").GetString().ShouldBe("paused");
        Listed().GetProperty("next").ValueKind.ShouldBe(JsonValueKind.Null);
        CommandLineRun.Of(["schedule", "resume", "small", .. words]).Json().GetProperty("paused").GetBoolean().ShouldBeFalse();
        Listed().GetProperty("next").ValueKind.ShouldBe(JsonValueKind.String);

        CommandLineRun.Of("schedule", "run", "smal", "--schedules", file).Error.ShouldContain("did you mean 'small'?");
        var run = Here(["schedule", "run", "small", .. words]);
        (run.ExitCode, JsonDocument.Parse(run.Out).RootElement.GetProperty("state").GetString()).ShouldBe((1, "failed"));
        var last = Listed().GetProperty("recent")[0];
        last.GetProperty("reason").GetString().ShouldNotBeNull().ShouldContain("teacher.model");

        JsonElement Listed() => CommandLineRun.Of(["schedule", "ls", .. words]).Json().GetProperty("schedules")[0];
    }

    [Theory]
    [InlineData("a key is required", "--host", "0.0.0.0")]
    [InlineData("--host 'here' is not an address.", "--host", "here")]
    [InlineData("The environment variable 'DISTILL_NO_SUCH_KEY' is not set.", "--api-key-env", "DISTILL_NO_SUCH_KEY")]
    public void It_does_not_start_with_what_cannot_be_meant(string message, params string[] options)
    {
        var run = CommandLineRun.Of(["serve", "--schedules", Schedules(), "--runs", Runs, "--port", "0", .. options]);
        run.Code.ShouldBe(2, run.Error);
        run.Error.ShouldContain(message);
    }

    private static (int ExitCode, string Out) Here(string[] words)
    {
        var start = new ProcessStartInfo("dotnet", [DistillProcess.Tool, .. words]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        string said = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, said);
    }

    private async Task<Process> Serve(string file)
    {
        var process = DistillProcess.Start("serve", "--schedules", file, "--runs", Runs, "--port", "0");
        await Until(() => FileLock.IsHeld(new OccurrenceStore(Runs).ServerLock));
        return process;
    }

    private Occurrence Now(Occurrence occurrence) => new OccurrenceStore(Runs).Find(occurrence.Schedule, occurrence.Name)!;

    private string Schedules(string? recipe = null)
    {
        folder.File("small.yaml", recipe ?? SmallRun.Text);
        return folder.File("schedules.yaml", "schedules: [ { name: small, recipe: small.yaml, cron: '0 2 29 2 *' } ]");
    }

    private static async Task Until(Func<bool> condition)
    {
        while (!condition()) await Task.Delay(TimeSpan.FromMilliseconds(50), Ending);
    }
}
