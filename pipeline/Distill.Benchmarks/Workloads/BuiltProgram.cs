using System.Diagnostics;

namespace Distill.Benchmarks.Workloads;

/// <summary>The command line as a process of its own, in the build that lies beside this one.</summary>
internal static class BuiltProgram
{
    private static string File { get; } = Path.Combine(
        AppContext.BaseDirectory.Replace("Distill.Benchmarks", "Distill.Cli", StringComparison.Ordinal), "distill.dll");

    /// <summary>Starts it; what it says over standard output is the caller's to read.</summary>
    /// <returns>The caller ends and disposes it.</returns>
    /// <exception cref="WorkloadAbsentException">It was not built.</exception>
    public static Process Start(params IEnumerable<string> arguments)
    {
        if (!System.IO.File.Exists(File)) throw new WorkloadAbsentException($"{File} is not there: build pipeline/Distill.Cli like this");
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        foreach (string argument in (IEnumerable<string>)[File, .. arguments]) start.ArgumentList.Add(argument);
        return Process.Start(start) ?? throw new InvalidOperationException("The program did not start.");
    }

    /// <summary>Runs a command to its end, which must be a good one.</summary>
    /// <returns>What it said over standard output.</returns>
    /// <exception cref="WorkloadAbsentException">It was not built.</exception>
    public static string Run(params IEnumerable<string> arguments)
    {
        using var process = Start(arguments);
        string said = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? said : throw new InvalidOperationException($"The program ended with {process.ExitCode}: {said}");
    }
}
