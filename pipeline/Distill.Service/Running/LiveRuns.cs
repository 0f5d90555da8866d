using System.Collections.Concurrent;

namespace Distill.Service.Running;

/// <summary>How far the runs of this service are, and what those said that ended just now. Thread-safe.</summary>
internal sealed class LiveRuns
{
    private readonly ConcurrentDictionary<string, RunWords> atWork = new(StringComparer.Ordinal), ended = new(StringComparer.Ordinal);

    /// <summary>Null when this service is not at work on it.</summary>
    public RunStatus? StatusOf(string run) => atWork.GetValueOrDefault(run)?.Status;

    public bool IsAnyAtWork => !atWork.IsEmpty;

    /// <summary>Runs at work that have said nothing for so long.</summary>
    public IEnumerable<(string Run, TimeSpan Silence)> Silent(TimeSpan atLeast) =>
        atWork.Select(run => (run.Key, run.Value.Silence)).Where(run => run.Silence >= atLeast);

    /// <returns>Dispose it when the run is not at work any more.</returns>
    public IDisposable Show(string run, RunWords words)
    {
        atWork[run] = words;
        return new Shown(this, run);
    }

    /// <summary>Until what follows the run is done, which tells of it.</summary>
    public void Keep(string run, RunWords words) => ended[run] = words;

    /// <summary>Null after a restart.</summary>
    public RunWords? Kept(string run) => ended.GetValueOrDefault(run);

    public void Forget(string run) => ended.TryRemove(run, out _);

    private sealed class Shown(LiveRuns live, string run) : IDisposable
    {
        public void Dispose() => live.atWork.TryRemove(run, out _);
    }
}
