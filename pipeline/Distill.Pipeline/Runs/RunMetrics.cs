using System.Text.Json.Nodes;

namespace Distill.Pipeline.Runs;

/// <summary>Appends measurements to <c>metrics.jsonl</c> as they come, with the time they came at. Thread-safe; the creator disposes it.</summary>
internal sealed class RunMetrics(string path, TimeProvider clock) : IDisposable
{
    private readonly Lock gate = new();
    private readonly StreamWriter writer = new(path, append: true) { NewLine = "\n", AutoFlush = true };

    public void Add(string stage, int step, IReadOnlyDictionary<string, double> values)
    {
        var line = new JsonObject { ["time"] = clock.GetUtcNow().ToString("O"), ["stage"] = stage, ["step"] = step };
        foreach (var (name, value) in values) line[name] = double.IsFinite(value) ? value : null;
        lock (gate) writer.WriteLine(line.ToJsonString());
    }

    public void Dispose() => writer.Dispose();
}
