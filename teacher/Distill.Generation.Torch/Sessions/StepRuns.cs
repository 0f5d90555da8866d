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

    /// <summary>Held during every run.</summary>
    public Lock OneRun { get; } = new();

    /// <summary>A number that no other record of the model has; null: there are enough.</summary>
    public string? NextNumber()
    {
        int number = Interlocked.Increment(ref taken);
        return number <= most ? number.ToString(CultureInfo.InvariantCulture) : null;
    }
}

/// <summary>
/// Which steps over some memory are recorded: those of a number of rows that has come often enough to pay for it. Whose addresses are
/// others needs other records. One thread.
/// </summary>
/// <param name="slots">Most rows.</param>
/// <param name="after">Steps of so many rows that are run as they are before one is recorded.</param>
internal sealed class StepRecords(RecordedRuns recorded, int slots, int after = StepRecords.After)
{
    /// <summary>For a run that is not recorded: a prompt, which has any shape, or a step that is rare.</summary>
    public const string None = "-1";

    public const int After = 8;

    private readonly string?[] numbers = new string?[slots + 1]; // by number of rows
    private readonly int[] seen = new int[slots + 1];

    public Lock OneRun => recorded.OneRun;

    /// <returns>The number of the record, and whether the run is the one that makes it, which needs the card alone.</returns>
    public (string Number, bool IsNew) Of(int rows)
    {
        if (numbers[rows] is { } known) return (known, false);
        if (seen[rows]++ < after) return (None, false);
        string number = recorded.NextNumber() ?? None;
        numbers[rows] = number;
        return (number, number != None);
    }
}

/// <summary>The options of a session's runs, by the number of the record that they make or repeat.</summary>
internal sealed class StepRuns(RunCancellation cancellation)
{
    private const string GraphNumber = "gpu_graph_id";

    private readonly Dictionary<string, RunOptions> made = [];

    public RunOptions Of(string record) =>
        made.TryGetValue(record, out var options) ? options : made[record] = cancellation.With(GraphNumber, record);
}
