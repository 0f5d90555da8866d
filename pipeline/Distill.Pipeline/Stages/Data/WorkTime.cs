using System.Globalization;
using System.Text;
using Distill.Storage;

namespace Distill.Pipeline.Stages.Data;

/// <summary>
/// The time that a stage may take over all its continuations. What was spent lies in its work folder until the artefact is finished, so
/// that a stopped run goes on with the rest. Dispose it: that notes the time.
/// </summary>
internal sealed class WorkTime : IDisposable
{
    internal const string FileName = ".time";

    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(49);

    private readonly string path;
    private readonly TimeSpan? limit;
    private readonly TimeProvider clock;
    private readonly TimeSpan before;
    private readonly CancellationTokenSource deadline = new();
    private long began;
    private ITimer? timer;

    /// <param name="folder">The stage's work folder.</param>
    /// <param name="limit">Null: none, and nothing is noted.</param>
    public WorkTime(string folder, TimeSpan? limit, TimeProvider clock)
    {
        (path, this.limit, this.clock) = (Path.Combine(folder, FileName), limit, clock);
        before = limit is null ? TimeSpan.Zero : Read(path);
        if (IsOver) deadline.Cancel();
    }

    /// <summary>Cancelled when the time is over.</summary>
    public CancellationToken Deadline => deadline.Token;

    public bool IsOver => limit is { } most && Spent >= most;

    private TimeSpan Spent => before + (timer is null ? TimeSpan.Zero : clock.GetElapsedTime(began));

    /// <summary>From here on it counts.</summary>
    public void Begin()
    {
        if (limit is not { } most || timer is not null) return;
        began = clock.GetTimestamp();
        var left = most - before;
        // A timer waits for 49 days at most; what lasts longer is ended between parts, by IsOver.
        var due = left >= LongestTimer ? Timeout.InfiniteTimeSpan : left > TimeSpan.Zero ? left : TimeSpan.Zero;
        timer = clock.CreateTimer(_ => deadline.Cancel(), null, due, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Notes what is spent: a kill loses what came after.</summary>
    public void Save()
    {
        if (timer is not null)
            ReplacedFile.Write(path, Encoding.ASCII.GetBytes(Spent.TotalSeconds.ToString("R", CultureInfo.InvariantCulture)));
    }

    public void Dispose()
    {
        if (Directory.Exists(Path.GetDirectoryName(path))) Save();
        timer?.Dispose();
        deadline.Dispose();
    }

    // What cannot be read counts as nothing spent: generating on loses nothing.
    private static TimeSpan Read(string path) =>
        File.Exists(path) && double.TryParse(File.ReadAllText(path), NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds)
        && seconds is >= 0 and < 1e9 ? TimeSpan.FromSeconds(seconds) : TimeSpan.Zero;
}
