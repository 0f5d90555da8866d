using System.Text.Json;
using System.Text.Json.Nodes;
using Distill.Student.Training;

namespace Distill.Pipeline.Pretraining;

/// <summary>
/// Means over every hundred steps as JSON lines; no times, so that the same recipe writes the same log. A continued training first cuts
/// off what lies beyond the step it continues from. Not thread-safe; the creator disposes it.
/// </summary>
internal sealed class TrainingLog(string path) : IDisposable
{
    private const int Window = 100;
    private readonly List<StepReport> window = [];
    private StreamWriter? writer;

    public void Add(StepReport report)
    {
        writer ??= Open(report.Step);
        window.Add(report);
        if (report.Step % Window != 0 && report.Step != report.Steps) return;
        var line = new JsonObject
        {
            ["step"] = report.Step,
            ["steps"] = report.Steps,
            ["loss"] = Math.Round(window.Average(step => step.Loss), 5),
            ["gradient_norm"] = Math.Round(window.Average(step => step.GradientNorm), 4),
            ["learning_rate"] = Math.Round(report.LearningRate, 7),
            ["tokens"] = window.Sum(step => step.Tokens),
        };
        writer.WriteLine(line.ToJsonString());
        writer.Flush();
        window.Clear();
    }

    public void Dispose() => writer?.Dispose();

    private StreamWriter Open(int nextStep)
    {
        string[] kept = File.Exists(path) ? [.. File.ReadLines(path).Where(line => StepOf(line) < nextStep)] : [];
        File.WriteAllLines(path, kept);
        return new StreamWriter(path, append: true) { NewLine = "\n" };
    }

    // A line cut off by a kill is not JSON; it lies beyond the saved state.
    private static int StepOf(string line)
    {
        try
        {
            return JsonNode.Parse(line)?["step"]?.GetValue<int>() ?? int.MaxValue;
        }
        catch (JsonException)
        {
            return int.MaxValue;
        }
    }
}
