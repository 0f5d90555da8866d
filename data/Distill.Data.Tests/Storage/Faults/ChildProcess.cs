using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Distill.Storage;

namespace Distill.Data.Tests.Storage.Faults;

/// <summary>This very test program again, as a process that does one scenario and nothing else, so that it can be killed.</summary>
internal static class ChildProcess
{
    private const string Variable = "DISTILL_TEST_SCENARIO";

    /// <param name="scenario">What <see cref="BecomeWhenAsked"/> knows.</param>
    /// <param name="shell">Goes before the program on a shell's line, e.g. to lower a limit; empty starts it directly.</param>
    public static Process Start(string scenario, IReadOnlyList<string> arguments, string shell = "")
    {
        List<string> line = [Environment.ProcessPath!];
        if (Path.GetFileNameWithoutExtension(line[0]) == "dotnet") line.Add(typeof(ChildProcess).Assembly.Location);
        if (shell.Length > 0) line = ["sh", "-c", $"{shell}; exec \"$0\" \"$@\"", .. line];
        var start = new ProcessStartInfo(line[0], line[1..])
        {
            Environment =
            {
                [Variable] = string.Join('\n', [scenario, .. arguments]),
                ["DOTNET_TieredPGO"] = "0",
                ["DOTNET_EnableWriteXorExecute"] = "0", // it needs a file larger than the limits under which scenarios run
            },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var process = Process.Start(start)!;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    /// <returns>Its exit code; that of a killed one is not 0.</returns>
    public static int Run(string scenario, IReadOnlyList<string> arguments, string shell = "")
    {
        using var process = Start(scenario, arguments, shell);
        process.WaitForExit();
        return process.ExitCode;
    }

    // Runs before the test framework does.
    [ModuleInitializer]
    internal static void BecomeWhenAsked()
    {
        if (Environment.GetEnvironmentVariable(Variable)?.Split('\n') is not { } words) return;
        int number(int index) => int.Parse(words[index], CultureInfo.InvariantCulture);
        try
        {
            if (words[0] == "shards") ShardScenario.Run(words[1], number(2), number(3), new KillAt(number(4)));
            else ShardScenario.RunInStore(words[1], number(2), number(3));
        }
        catch (IOException)
        {
            Environment.Exit(3); // a disk that refuses: the fault that scenarios are about
        }

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
