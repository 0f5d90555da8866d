using System.Diagnostics;
using System.Runtime.CompilerServices;
using Distill.Storage;

namespace Distill.Data.Tests.Storage;

/// <summary>
/// An artefact of two files, committed step by step; a child process of the sweep tests kills itself at one of the steps.
/// </summary>
internal static class CommitScenario
{
    public const string FolderVariable = "DISTILL_TEST_COMMIT_FOLDER", StepVariable = "DISTILL_TEST_KILL_AT_STEP";

    public static Artifact Run(string folder, ICommitHook? hook)
    {
        var writer = new ArtifactWriter(folder, "scenario", 1) { Hook = hook };
        writer.Write("one.txt", "one"u8.ToArray());
        writer.Write("sub/two.bin", new byte[100_000]);
        return writer.Commit();
    }

    /// <summary>Runs this very test program again, but only as far as the step.</summary>
    /// <returns>Whether it got to the end alive.</returns>
    public static bool RunInChild(string folder, int step)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            Environment = { [FolderVariable] = folder, [StepVariable] = $"{step}", ["DOTNET_TieredPGO"] = "0" },
            RedirectStandardOutput = true,
        };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(CommitScenario).Assembly.Location);
        using var child = Process.Start(start)!;
        child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        return child.ExitCode == 0;
    }

    // Runs before the test framework does, so that a child is this scenario and nothing else.
    [ModuleInitializer]
    internal static void BecomeChildWhenAsked()
    {
        string? folder = Environment.GetEnvironmentVariable(FolderVariable);
        if (folder is null) return;
        Run(folder, new KillAt(int.Parse(Environment.GetEnvironmentVariable(StepVariable)!)));
        Environment.Exit(0);
    }

    private sealed class KillAt(int step) : ICommitHook
    {
        private int seen;

        public void Before(CommitStep current, string path)
        {
            if (++seen != step) return;
            using var self = Process.GetCurrentProcess();
            self.Kill(); // SIGKILL: no handler, no finally, no flush
            Thread.Sleep(Timeout.Infinite);
        }
    }
}
