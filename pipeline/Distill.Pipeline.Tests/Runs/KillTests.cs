using System.Diagnostics;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Runs;

/// <summary>The program as a process, ended by SIGKILL or Ctrl-C wherever it happens to be.</summary>
public sealed class KillTests(PipelineRunTests.FinishedRun finished) : IClassFixture<PipelineRunTests.FinishedRun>, IDisposable
{
    private const int Kills = 6, LongestWaitMilliseconds = 6000;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Killed_again_and_again_a_run_ends_with_the_digests_of_an_undisturbed_one()
    {
        var random = new Random(20_26);
        for (int kill = 0; kill < Kills; kill++)
        {
            using var process = Start();
            if (process.WaitForExit(random.Next(300, LongestWaitMilliseconds))) process.ExitCode.ShouldBe(0);
            else process.Kill();
            process.WaitForExit();
        }

        SmallRun.Run(folder, new RunOptions { UseOtherRuns = false });
        SmallRun.LockOf(folder).ShouldBe(SmallRun.LockOf(finished.Folder));
    }

    [Fact]
    public async Task Interrupted_a_run_ends_with_130_and_the_next_one_continues()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no SIGINT to send on Windows.");
        using var process = Start();
        string traces = Path.Combine(folder.Path, "small", "1-problems");
        while (!Directory.Exists(traces) && !process.HasExited)
            await Task.Delay(TimeSpan.FromMilliseconds(20), TestContext.Current.CancellationToken);
        using (var signal = Process.Start("kill", ["-INT", $"{process.Id}"]))
            await signal.WaitForExitAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        process.ExitCode.ShouldBe(130);
        SmallRun.Run(folder);
        SmallRun.LockOf(folder).ShouldBe(SmallRun.LockOf(finished.Folder));
    }

    private Process Start() => DistillProcess.Start("run", folder.File("small.yaml", SmallRun.Text), "--runs", folder.Path, "--no-cache");
}
