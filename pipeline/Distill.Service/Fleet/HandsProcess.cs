using System.ComponentModel;
using System.Diagnostics;

namespace Distill.Service.Fleet;

/// <summary>
/// The worker's side of <see cref="Hands"/>: starts the process when there is work, gives it pieces one at a time, and tells how it ended
/// where it does. Not thread-safe; dispose it.
/// </summary>
/// <param name="command">What is started: a program and its arguments.</param>
/// <param name="environment">Variables that it gets or, where null, does not.</param>
/// <param name="said">Told what is worth noting down; from any thread.</param>
internal sealed class HandsProcess(
    IReadOnlyList<string> command, IReadOnlyDictionary<string, string?> environment, Action<string> said, TimeProvider clock)
    : IWorkMaker, IAsyncDisposable
{
    private const int SignalBase = 128, KillSignal = 9, MostWords = 600;

    // Of the ten seconds that a worker has to end; and how long a process may be silent that says something every five seconds.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(7), Glance = TimeSpan.FromSeconds(1);

    // Looks, not time: a worker that was frozen with its process has not been waiting for it.
    private static readonly int MostSilentLooks = (int)(WorkerWatch.Patience / Glance);

    private Process? process;
    private Task reading = Task.CompletedTask;
    private TaskCompletionSource<WorkResult>? waiting;
    private Action<string> detail = _ => { };
    private string lastError = "";
    private volatile bool isHeard;

    /// <summary>Null while there is none.</summary>
    public int? ProcessId => process?.Id;

    public async Task<WorkResult> MakeAsync(ClaimedWork work, Action<string> detail, CancellationToken cancellation)
    {
        if (process is null or { HasExited: true }) Start();
        this.detail = detail;
        var answer = waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await WriteAsync(new(work)).ConfigureAwait(false);
        var exit = process!.WaitForExitAsync(CancellationToken.None);
        using var watch = new CancellationTokenSource();
        try
        {
            var silent = SilentAsync(watch.Token);
            var stopped = Task.Delay(Timeout.InfiniteTimeSpan, clock, cancellation);
            var first = await Task.WhenAny(answer.Task, exit, silent, stopped).ConfigureAwait(false);
            if (first == stopped) return await StopAsync(answer.Task, exit).ConfigureAwait(false);
            if (first == silent) Kill();
            if (first != answer.Task) await exit.ConfigureAwait(false);
            await (first == exit ? reading : Task.CompletedTask).ConfigureAwait(false); // its last word may be the answer
            return answer.Task.IsCompletedSuccessfully ? await answer.Task.ConfigureAwait(false)
                : new(WorkOutcome.Died, first == silent ? "it said nothing for two minutes and was ended" : Ending());
        }
        finally
        {
            await watch.CancelAsync().ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (process is null) return;
        try
        {
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended before.
        }

        using var patience = new CancellationTokenSource(Patience, clock);
        try
        {
            await process.WaitForExitAsync(patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            Kill();
        }

        process.Dispose();
        process = null;
    }

    private void Start()
    {
        process?.Dispose();
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, CreateNoWindow = true,
        };
        foreach (var (name, value) in environment)
        {
            if (value is null) start.Environment.Remove(name);
            else start.Environment[name] = value;
        }

        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception fault)
        {
            throw new IOException($"'{command[0]}' cannot be started: {fault.Message}", fault);
        }

        lastError = "";
        reading = Task.WhenAll(
            Read(process.StandardOutput, Hear), Read(process.StandardError, line => lastError = Longest(line, lastError)));
    }

    // An error and its remedy come one after the other; the first says more.
    private static string Longest(string line, string before) =>
        line.StartsWith("error:", StringComparison.Ordinal) || !before.StartsWith("error:", StringComparison.Ordinal)
            ? line[..Math.Min(line.Length, MostWords)] : before;

    private static async Task Read(StreamReader reader, Action<string> hear)
    {
        while (await reader.ReadLineAsync(CancellationToken.None).ConfigureAwait(false) is { } line) hear(line);
    }

    private void Hear(string line)
    {
        isHeard = true;
        if (HandsAnswer.TryRead<HandsAnswer>(line) is not { } answer) return;
        if (answer.Detail is { } words) detail(words);
        if (answer.Said is { } message) said(message);
        if (answer.Result is { } result) waiting?.TrySetResult(result);
    }

    private async Task WriteAsync(HandsOrder order)
    {
        try
        {
            await process!.StandardInput.WriteLineAsync(HandsAnswer.Write(order)).ConfigureAwait(false);
            await process.StandardInput.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // It has just ended, which whoever waits for it sees.
        }
    }

    private async Task SilentAsync(CancellationToken cancellation)
    {
        for (int silent = 0; silent < MostSilentLooks; silent++)
        {
            await Task.Delay(Glance, clock, cancellation).ConfigureAwait(false);
            if (isHeard) silent = 0;
            isHeard = false;
        }
    }

    private async Task<WorkResult> StopAsync(Task<WorkResult> answer, Task exit)
    {
        await WriteAsync(new(null)).ConfigureAwait(false);
        var late = Task.Delay(Patience, clock, CancellationToken.None);
        if (await Task.WhenAny(answer, exit, late).ConfigureAwait(false) == answer) return await answer.ConfigureAwait(false);
        Kill(); // what is committed stays
        var gone = Task.Delay(Glance, clock, CancellationToken.None);
        // Else the next piece would be given to a process that is about to end, and be charged with it.
        if (await Task.WhenAny(exit, gone).ConfigureAwait(false) == gone) Leave();
        return new(WorkOutcome.Returned, "it was ended, since it did not stop by itself");
    }

    // One that the system cannot end now, since it waits for a device or a file server.
    private void Leave()
    {
        process!.Dispose();
        process = null;
    }

    private void Kill()
    {
        try
        {
            process!.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It ended by itself just now.
        }
    }

    private string Ending()
    {
        int code = process!.ExitCode;
        if (code - SignalBase == KillSignal)
            return "its process was killed (signal 9), mostly because memory ran out";
        if (code > SignalBase) return $"its process was ended by signal {code - SignalBase}";
        return lastError.Length > 0 ? $"its process ended with code {code}: {lastError}" : $"its process ended with code {code}";
    }
}
