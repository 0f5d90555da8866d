using Distill.Service.Notifying;
using Distill.Service.Running;
using Distill.Service.Schedules;

namespace Distill.Pipeline.Tests.Service;

/// <summary>Runs without a process: each call is told its arguments and ends as the test says. Thread-safe.</summary>
internal sealed class ScriptedProgram(Func<IReadOnlyList<string>, CancellationToken, Task<int>> run) : IDistillProgram
{
    private readonly List<IReadOnlyList<string>> calls = [];

    public ScriptedProgram(params int[] codes)
        : this(Next(codes))
    {
    }

    /// <summary>What each run says before it ends.</summary>
    public IReadOnlyList<string> Says { get; init; } = [];

    public IReadOnlyList<IReadOnlyList<string>> Calls
    {
        get
        {
            lock (calls) return [.. calls];
        }
    }

    public async Task<int> RunAsync(IReadOnlyList<string> arguments, Action<SpokenLine> said, CancellationToken cancellation)
    {
        lock (calls) calls.Add(arguments);
        foreach (string line in Says) said(new(line, false));
        return await run(arguments, cancellation);
    }

    private static Func<IReadOnlyList<string>, CancellationToken, Task<int>> Next(int[] codes)
    {
        int next = -1;
        return (_, _) => Task.FromResult(codes[Math.Min(Interlocked.Increment(ref next), codes.Length - 1)]);
    }
}

/// <summary>Keeps what it is told.</summary>
internal sealed class RecordingNotifiers : INotifiers
{
    public List<RunNotice> Told { get; } = [];

    public string? Fault { get; init; }

    public Task<string?> TellAsync(NotifierSection notifier, RunNotice notice, CancellationToken cancellation)
    {
        Told.Add(notice);
        return Task.FromResult(Fault);
    }
}
