using System.Collections.Concurrent;

namespace Distill.Service.Running;

/// <summary>How far the runs of this service are, and what those said that ended just now. Thread-safe.</summary>
internal sealed class LiveRuns
{
    private readonly ConcurrentDictionary<string, RunWords> atWork = new(StringComparer.Ordinal), ended = new(StringComparer.Ordinal);

    /// <summary>Null when this service is not at work on it.</summary>
    public RunStatus? StatusOf(string run) => atWork.GetValueOrDefault(run)?.Status;

    public bool IsAnyAtWork => !atWork.IsEmpty;

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

/// <summary>
/// What the attempts of an occurrence said, a line each with its time. Full at some megabytes: what comes after is left out. Not
/// thread-safe; dispose it.
/// </summary>
internal sealed class RunLog : IDisposable
{
    private const long MostBytes = 4 << 20;

    private readonly StreamWriter writer;
    private readonly TimeProvider clock;

    public RunLog(string path, TimeProvider clock)
    {
        this.clock = clock;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var stream = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        writer = new StreamWriter(stream) { NewLine = "\n", AutoFlush = true };
    }

    public void Line(string text)
    {
        if (writer.BaseStream.Length < MostBytes)
            writer.WriteLine($"{clock.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss'Z'} {text.ReplaceLineEndings(" ")}");
    }

    public void Dispose() => writer.Dispose();
}
