using System.Collections.Concurrent;

namespace Distill.Pipeline.Tests.Faults;

/// <summary>
/// Faults one after another, in an order that follows from a seed: each kind once or twice, or again and again for as long as is asked for.
/// </summary>
/// <param name="time">For how long; null for one round.</param>
internal sealed class FaultSequence(ScheduledNight night, Random random, TimeSpan? time)
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1), Minute = TimeSpan.FromMinutes(1);

    private readonly ConcurrentQueue<string> told = new();

    /// <summary>What was done, in order.</summary>
    public IReadOnlyCollection<string> Told => told;

    /// <summary>How often a run may have been broken off: by a signal, or by a disk that was full.</summary>
    public int Interruptions { get; private set; }

    private bool IsLong => time is not null;

    public async Task RunAsync(CancellationToken cancellation)
    {
        var end = DateTime.UtcNow + (time ?? TimeSpan.Zero);
        do
        {
            var round = Round();
            random.Shuffle(round);
            foreach (var (name, act) in round)
            {
                await Task.Delay(random.Next(500, IsLong ? 20_000 : 3_000), cancellation);
                if (!night.IsUp) await night.StartAsync(cancellation);
                night.StartWorkers();
                told.Enqueue($"{DateTime.UtcNow:HH:mm:ss} {name}");
                await act(cancellation);
            }
        }
        while (DateTime.UtcNow < end);
        if (!night.IsUp) await night.StartAsync(cancellation);
        night.StartWorkers();
    }

    private (string Name, Func<CancellationToken, Task> Act)[] Round()
    {
        var pause = TimeSpan.FromMilliseconds(random.Next(500, 3_000));
        // Longer than the queue waits before it hands a job to another.
        var frozen = IsLong && random.Next(3) == 0 ? TimeSpan.FromSeconds(150) : TimeSpan.FromSeconds(4);
        List<(string, Func<CancellationToken, Task>)> acts =
        [
            ("server killed", ending => KilledAsync(pause, ending)),
            ("server killed, started at once", ending => KilledAsync(default, ending)),
            ("server told to stop", StoppedAsync), ("server frozen", ending => night.FreezeServerAsync(frozen, ending)),
            ("run killed", _ => Signal(night.RunAtWork, ScheduledNight.Kill)),
            ("run killed again", _ => Signal(night.RunAtWork, ScheduledNight.Kill)),
            ("run frozen", ending => FrozenAsync(night.RunAtWork, frozen, ending)),
            ("worker killed", _ => Signal(night.Worker, ScheduledNight.Kill)),
            ("worker killed again", _ => Signal(night.Worker, ScheduledNight.Kill)),
            ("worker frozen", ending => FrozenAsync(night.Worker, frozen, ending)),
            ("database restarted", ending => night.RestartDatabaseAsync(pause, ending)),
            ("connections cut", _ => Now(night.CutConnections)), ("database failed over", _ => Now(night.FailOver)),
        ];
        if (night.HasDisk) acts.Add(("disk full", FullDiskAsync));
        if (night.HasClock) acts.AddRange(Jumps());
        return [.. acts];
    }

    // In a short round the clock brings the hour. In a long one times come by themselves; what the clock gains is small, so that not more
    // comes due than can be done.
    private IEnumerable<(string Name, Func<CancellationToken, Task> Act)> Jumps()
    {
        var (far, again) = IsLong ? (25 * Minute, 5 * Minute) : (Hour, Hour);
        yield return ("clock put forward", _ => Now(() => night.JumpClock(far)));
        yield return ("clock put back", _ => Now(() => night.JumpClock(-far)));
        yield return ("clock put forward again", _ => Now(() => night.JumpClock(again)));
    }

    private async Task KilledAsync(TimeSpan down, CancellationToken cancellation)
    {
        night.KillServer();
        await Task.Delay(down, cancellation);
        await night.StartAsync(cancellation);
    }

    private async Task StoppedAsync(CancellationToken cancellation)
    {
        Interruptions += 2; // one run for each label
        await night.TerminateServerAsync(cancellation);
        await night.StartAsync(cancellation);
    }

    private Task Signal(Func<Random, int?> find, Action<int> act)
    {
        if (find(random) is not { } process) return Task.CompletedTask;
        Interruptions++;
        act(process);
        return Task.CompletedTask;
    }

    private async Task FrozenAsync(Func<Random, int?> find, TimeSpan frozen, CancellationToken cancellation)
    {
        if (find(random) is not { } process) return;
        Interruptions++; // the endpoint may have given up on it
        await ScheduledNight.FreezeAsync(process, frozen, cancellation);
    }

    private async Task FullDiskAsync(CancellationToken cancellation)
    {
        Interruptions += 2;
        await night.FillDiskAsync(TimeSpan.FromSeconds(3), cancellation);
    }

    private static Task Now(Action act)
    {
        act();
        return Task.CompletedTask;
    }
}
