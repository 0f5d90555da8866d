using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Distill.Data.Telemetry;
using Distill.Service.Hosting;

namespace Distill.Service.Running;

/// <summary>What is said by a program that runs: a line, and whether it came over standard error.</summary>
internal readonly record struct SpokenLine(string Text, bool IsError);

/// <summary>Starts this program's own commands.</summary>
internal interface IDistillProgram
{
    /// <summary>Runs a command to its end.</summary>
    /// <param name="arguments">As after <c>distill</c>.</param>
    /// <param name="said">Told every line, from any thread, one at a time.</param>
    /// <param name="cancellation">
    /// Has the command stop at a safe point, and ends its process when that takes longer than <see cref="DistillProgram.Patience"/>.
    /// </param>
    /// <returns>Its exit code; a signal's number below zero.</returns>
    /// <exception cref="IOException">It cannot be started.</exception>
    Task<int> RunAsync(IReadOnlyList<string> arguments, Action<SpokenLine> said, CancellationToken cancellation);
}

/// <summary>
/// The program as a process of its own for each run: what a run breaks (memory, a native library) ends the run and not the service, and
/// what it took is given back. A run whose service was killed goes on to its end. Thread-safe.
/// </summary>
/// <param name="command">What is started: a program, and arguments that come before all others.</param>
/// <param name="withheld">Environment variables that a run has no business with.</param>
internal sealed partial class DistillProgram(IReadOnlyList<string> command, IReadOnlyCollection<string> withheld, TimeProvider clock)
    : IDistillProgram
{
    /// <summary>Of a run that workers do.</summary>
    public const string FleetOption = "--fleet";

    private const int Terminate = 15, SignalBase = 128;

    /// <summary>From the wish to stop to the end of the process; the service itself has ten seconds.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(7);

    /// <summary>This process's own program.</summary>
    /// <exception cref="InvalidOperationException">The system does not say which one it is.</exception>
    public static IReadOnlyList<string> OfThisProcess()
    {
        string program = Environment.ProcessPath ?? throw new InvalidOperationException("The system does not name this program's file.");
        bool isHost = Path.GetFileNameWithoutExtension(program).Equals("dotnet", StringComparison.OrdinalIgnoreCase);
        return isHost ? [program, Path.Combine(AppContext.BaseDirectory, "distill.dll")] : [program];
    }

    public async Task<int> RunAsync(IReadOnlyList<string> arguments, Action<SpokenLine> said, CancellationToken cancellation)
    {
        using var process = Start(arguments);
        var gate = new Lock();
        var reading = Task.WhenAll(Read(process.StandardOutput, false), Read(process.StandardError, true));
        await using var stop = cancellation.Register(() => _ = EndAsync(process)).ConfigureAwait(false);
        await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        await reading.ConfigureAwait(false);
        return process.ExitCode > SignalBase && process.ExitCode != SignalBase + 2 ? SignalBase - process.ExitCode : process.ExitCode;

        async Task Read(StreamReader reader, bool isError)
        {
            try
            {
                while (await reader.ReadLineAsync(CancellationToken.None).ConfigureAwait(false) is { } line)
                {
                    lock (gate) Tell(said, new SpokenLine(line, isError));
                }
            }
            finally
            {
                // Nobody reads from it any more, and it would stand still as soon as the pipe is full.
                while (await reader.ReadLineAsync(CancellationToken.None).ConfigureAwait(false) is not null)
                {
                }
            }
        }
    }

    private static void Tell(Action<SpokenLine> said, SpokenLine line)
    {
        try
        {
            said(line);
        }
        catch (IOException)
        {
            // Who listens cannot keep it, on a full disk; that is no fault of the run.
        }
    }

    private Process Start(IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(command[0])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, CreateNoWindow = true,
        };
        foreach (string argument in command.Skip(1).Concat(arguments)) start.ArgumentList.Add(argument);
        // Who hands work to others needs the queue that they take it from.
        bool needsQueue = arguments.Contains(FleetOption);
        foreach (string name in withheld.Where(name => !needsQueue || name != ServiceOptions.PostgresVariable))
            start.Environment.Remove(name);
        if (Activity.Current is { IdFormat: ActivityIdFormat.W3C, Id: { } span }) start.Environment[Instruments.ParentVariable] = span;
        try
        {
            var process = Process.Start(start)!;
            process.StandardInput.Close();
            return process;
        }
        catch (Win32Exception fault)
        {
            throw new IOException($"'{command[0]}' cannot be started: {fault.Message}", fault);
        }
    }

    private async Task EndAsync(Process process)
    {
        try
        {
            if (!OperatingSystem.IsWindows()) _ = Kill(process.Id, Terminate);
            using var patience = new CancellationTokenSource(Patience, clock);
            await process.WaitForExitAsync(patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            Kill(process); // nothing committed is lost by it
        }
        catch (InvalidOperationException)
        {
            // It ended by itself, and is disposed of.
        }
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It ended by itself just now.
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int process, int signal);
}
