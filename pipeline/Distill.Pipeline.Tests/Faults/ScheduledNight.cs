using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Distill.Pipeline.Tests.Service;
using Distill.Pipeline.Tests.Testing;
using Distill.Service.Hosting;
using Distill.Service.Occurrences;
using Distill.Storage;

namespace Distill.Pipeline.Tests.Faults;

/// <summary>
/// <c>distill serve</c> and workers as processes with their queue in PostgreSQL, and everything that can happen to it: kills, freezes, a
/// database that restarts or fails over, a full disk, a clock that jumps. The folder of runs is a small file system of its own where one
/// may be mounted, and the clock is that of libfaketime where that is installed.
/// </summary>
internal sealed class ScheduledNight : IDisposable
{
    private const int MostStarts = 20;

    private readonly TemporaryFolder folder = new();
    private readonly PostgresServer first = PostgresServer.Start();
    private readonly PostgresServer standby;
    private readonly TcpRelay relay;
    private readonly ConcurrentQueue<string> said = new();
    private readonly bool isMounted;
    private readonly string? clockLibrary;
    private readonly Process?[] workers = new Process?[2];
    private Process? server;
    private TimeSpan clock;

    /// <param name="megabytes">Of its disk: all that its runs make, and more.</param>
    public ScheduledNight(int megabytes)
    {
        standby = first.Standby();
        relay = new TcpRelay(first.Port);
        Directory.CreateDirectory(Runs);
        isMounted = OperatingSystem.IsLinux() && Environment.UserName == "root"
            && Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "tmpfs", Runs) == 0;
        clockLibrary = Directory.Exists("/usr/lib") ? Directory.GetDirectories("/usr/lib", "*-linux-gnu")
            .Select(path => $"{path}/faketime/libfaketimeMT.so.1").FirstOrDefault(System.IO.File.Exists) : null;
        WriteClock();
    }

    public string Runs => folder.File("runs");

    public string Schedules => folder.File("schedules.yaml");

    public OccurrenceStore Store => new(Runs);

    /// <summary>Whether the clock of the service can be set.</summary>
    public bool HasClock => clockLibrary is not null;

    /// <summary>Whether its disk can be filled.</summary>
    public bool HasDisk => isMounted;

    /// <summary>What the service's clock says.</summary>
    public DateTimeOffset Now => DateTimeOffset.UtcNow + clock;

    /// <summary>What it said last.</summary>
    public string LastWords => string.Join('\n', said.TakeLast(20));

    /// <summary>Whether it runs; one that ended by itself is started again by <see cref="StartAsync"/>.</summary>
    public bool IsUp => server is { HasExited: false };

    public string File(string name, string text) => folder.File(name, text);

    /// <summary>Starts the service and waits until it looks after its folder; again when it ends by itself, as systemd would.</summary>
    public async Task StartAsync(CancellationToken cancellation)
    {
        for (int start = 0; start < MostStarts; start++)
        {
            if (await TryStartAsync(cancellation)) return;
        }

        throw new InvalidOperationException($"The service does not start any more. It says: {LastWords}");
    }

    private async Task<bool> TryStartAsync(CancellationToken cancellation)
    {
        server?.Dispose();
        server = DistillProcess.Start(Surroundings(), said.Enqueue, "serve", "--schedules", Schedules, "--runs", Runs, "--port", "0");
        string held = Store.ServerLock;
        while (!server.HasExited && !FileLock.IsHeld(held)) await Task.Delay(50, cancellation);
        if (!server.HasExited) StartWorkers();
        return !server.HasExited;
    }

    /// <summary>Workers that are not there are started again, as systemd would.</summary>
    public void StartWorkers()
    {
        for (int i = 0; i < workers.Length; i++)
        {
            if (workers[i] is { HasExited: false }) continue;
            workers[i]?.Dispose();
            workers[i] = DistillProcess.Start(Surroundings(), said.Enqueue, "worker", "--store", Runs);
        }
    }

    private Dictionary<string, string> Surroundings()
    {
        var environment = new Dictionary<string, string>
        {
            [ServiceOptions.PostgresVariable] = PostgresServer.ConnectionOver(relay.Port),
        };
        if (clockLibrary is not null)
        {
            environment["LD_PRELOAD"] = clockLibrary;
            environment["FAKETIME_TIMESTAMP_FILE"] = folder.File("clock");
            // Waiting goes by the monotonic clock, which no one sets. The "fix" breaks just that: timers would run out at once.
            (environment["FAKETIME_DONT_FAKE_MONOTONIC"], environment["FAKETIME_FORCE_MONOTONIC_FIX"]) = ("1", "0");
            environment["FAKETIME_CACHE_DURATION"] = "1";
        }

        return environment;
    }

    public void KillServer()
    {
        server!.Kill(); // its runs live on
        server.WaitForExit();
    }

    public async Task TerminateServerAsync(CancellationToken cancellation)
    {
        Run("kill", "-TERM", Text(server!.Id));
        await server.WaitForExitAsync(cancellation);
    }

    public Task FreezeServerAsync(TimeSpan time, CancellationToken cancellation) => FreezeAsync(server!.Id, time, cancellation);

    /// <summary>A run's process, whoever started it; null where none is at work.</summary>
    public int? RunAtWork(Random random) => One(random, "run", "resume");

    /// <summary>A worker, or the process in which one works.</summary>
    public int? Worker(Random random) => One(random, "worker");

    private int? One(Random random, params string[] commands)
    {
        int[] found = [.. Process.GetProcesses().Where(process => Does(process, commands)).Select(process => process.Id)];
        return found.Length == 0 ? null : found[random.Next(found.Length)];
    }

    public static void Kill(int process) => Run("kill", "-KILL", Text(process));

    public static async Task FreezeAsync(int process, TimeSpan time, CancellationToken cancellation)
    {
        Run("kill", "-STOP", Text(process));
        try
        {
            await Task.Delay(time, cancellation);
        }
        finally
        {
            Run("kill", "-CONT", Text(process));
        }
    }

    public async Task RestartDatabaseAsync(TimeSpan down, CancellationToken cancellation)
    {
        var current = relay.Target == first.Port ? first : standby;
        current.Stop();
        await Task.Delay(down, cancellation);
        current.Resume();
    }

    /// <summary>The first server is gone for good, with what it had not told the other one; all connections are lost.</summary>
    public void FailOver()
    {
        if (relay.Target == standby.Port) return;
        first.Stop();
        standby.Promote();
        relay.Target = standby.Port;
        relay.Cut();
    }

    public void CutConnections() => relay.Cut();

    /// <summary>Nothing can be written any more, until the time is over.</summary>
    public async Task FillDiskAsync(TimeSpan time, CancellationToken cancellation)
    {
        string filler = Path.Combine(Runs, ".filler");
        Run("sh", "-c", $"dd if=/dev/zero of='{filler}' bs=1M status=none 2>/dev/null; "
            + $"dd if=/dev/zero of='{filler}' bs=512 oflag=append conv=notrunc status=none 2>/dev/null");
        await Task.Delay(time, cancellation);
        System.IO.File.Delete(filler);
    }

    /// <summary>Puts the clock forward or back.</summary>
    public void JumpClock(TimeSpan by)
    {
        clock += by;
        WriteClock();
    }

    public void Dispose()
    {
        if (server is { HasExited: false }) KillServer();
        foreach (var process in Process.GetProcesses().Where(process => Does(process, "worker", "run", "resume"))) Kill(process.Id);
        foreach (var worker in workers) worker?.Dispose();
        server?.Dispose();
        relay.Dispose();
        standby.Dispose();
        first.Dispose();
        if (isMounted) Run("umount", "-l", Runs);
        folder.Dispose();
    }

    // By its command line, which names the folder of runs; the service's own does too, and begins otherwise.
    private bool Does(Process process, params string[] commands)
    {
        try
        {
            string[] words = System.IO.File.ReadAllText($"/proc/{process.Id}/cmdline").Split('\0');
            return words.Contains(Runs) && words.Any(commands.Contains);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return false; // it ended just now
        }
    }

    // Renamed into place: a reader finds one or the other.
    private void WriteClock()
    {
        string file = folder.File("clock"), next = file + ".next";
        System.IO.File.WriteAllText(next, string.Create(CultureInfo.InvariantCulture, $"{(long)clock.TotalSeconds:+0;-0;+0}\n"));
        System.IO.File.Move(next, file, overwrite: true);
    }

    private static string Text(int process) => process.ToString(CultureInfo.InvariantCulture);

    private static int Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode;
    }
}
