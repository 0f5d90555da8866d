using System.Globalization;
using Distill.Generation.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace Distill.Generation.Torch.Sessions;

/// <summary>
/// What a model's CUDA provider has recorded (CUDA graphs) and may still record: it keeps all of it as long as the model is open. A record
/// computes in memory that the provider meanwhile takes for free, so runs of such a model are one at a time. Safe from any thread.
/// </summary>
/// <param name="most">Records of a model; more would take memory without an end where sessions of ever new sizes are opened.</param>
internal sealed class RecordedRuns(int most = RecordedRuns.Most)
{
    public const int Most = 128;

    private int taken;
    private volatile bool stopped;

    /// <summary>Held during every run.</summary>
    public Lock OneRun { get; } = new();

    /// <summary>The graph cannot be recorded: nothing more is tried.</summary>
    public void Stop() => stopped = true;

    /// <summary>A number that no other record of the model has; null: there are enough.</summary>
    public string? NextNumber()
    {
        if (stopped) return null;
        int number = Interlocked.Increment(ref taken);
        return number <= most ? number.ToString(CultureInfo.InvariantCulture) : null;
    }
}

/// <summary>
/// Which steps over some memory are recorded: those of a number of rows that has come often enough to pay for it. Whose addresses are
/// others needs other records. The provider keeps what it recorded for the thread that did, so other threads' steps run as they are. One
/// thread at a time.
/// </summary>
/// <param name="slots">Most rows: the number that comes most often. Others come while a batch runs empty.</param>
/// <param name="after">Steps of all rows that are run as they are before one is recorded; of fewer rows, four times as many.</param>
internal sealed class StepRecords(RecordedRuns recorded, int slots, int after = StepRecords.After)
{
    /// <summary>For a run that is not recorded: a prompt, which has any shape, or a step that is rare.</summary>
    public const string None = "-1";

    public const int After = 8;

    private const int FewerRows = 4, MostHere = 16;

    private readonly Record?[] records = new Record?[slots + 1]; // by number of rows
    private readonly int[] seen = new int[slots + 1];
    private int given;

    public Lock OneRun => recorded.OneRun;

    /// <summary>
    /// The number of the record, and whether the run is the one that makes it, which needs the card alone: after it
    /// <see cref="Made"/> or <see cref="Failed"/> is called.
    /// </summary>
    public (string Number, bool IsNew) Of(int rows) => Of(rows, Environment.CurrentManagedThreadId);

    /// <summary>The run has been recorded and may be repeated.</summary>
    public void Made(int rows) => records[rows] = records[rows]! with { IsMade = true };

    /// <summary>The run did not come to its end: what the provider may have of it is never repeated, nor made again.</summary>
    /// <param name="stops">No other will come to its end either.</param>
    public void Failed(int rows, bool stops)
    {
        records[rows] = new(None, 0, IsMade: true);
        if (stops) recorded.Stop();
    }

    /// <summary>Whether a thread can repeat all that has been made.</summary>
    public bool AreOf(int thread) => records.All(record => record is null || record.Number == None || record.Thread == thread);

    internal (string Number, bool IsNew) Of(int rows, int thread)
    {
        if (records[rows] is { } known) return known.IsMade && known.Thread == thread ? (known.Number, false) : (None, false);
        if (given == MostHere || seen[rows]++ < (rows == slots ? after : after * FewerRows)) return (None, false);
        if (recorded.NextNumber() is not { } number)
        {
            given = MostHere;
            return (None, false);
        }

        given++;
        records[rows] = new(number, thread, IsMade: false);
        return (number, true);
    }

    /// <param name="Thread">That made it.</param>
    private sealed record Record(string Number, int Thread, bool IsMade);
}

/// <summary>The options of a session's runs, by the number of the record that they make or repeat.</summary>
internal sealed class StepRuns(RunCancellation cancellation)
{
    private const string GraphNumber = "gpu_graph_id";

    private readonly Dictionary<string, RunOptions> made = [];

    public RunOptions Of(string record) =>
        made.TryGetValue(record, out var options) ? options : made[record] = cancellation.With(GraphNumber, record);
}
