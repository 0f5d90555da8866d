using System.Text;
using System.Text.Json;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Student.Training;

namespace Distill.Pipeline.Pretraining;

/// <summary>
/// One line a step in the work folder; no times, so that the same recipe writes the same log. A continued training does some steps
/// again, and their lines count once. Not thread-safe; the creator disposes it.
/// </summary>
internal sealed class TrainingLog : IDisposable
{
    private const int Window = 100;
    private readonly SortedDictionary<int, Line> lines = [];
    private readonly StreamWriter writer;

    public TrainingLog(string path)
    {
        if (File.Exists(path)) Take(File.ReadLines(path));
        RunFolder.Replace(path, Encoding.UTF8.GetBytes(string.Concat(lines.Values.Select(Text))));
        writer = new StreamWriter(path, append: true) { AutoFlush = true };
    }

    public void Add(StepReport report)
    {
        var line = new Line(report.Step, report.Steps, report.Loss, report.GradientNorm, report.LearningRate, report.Tokens);
        lines[report.Step] = line;
        writer.Write(Text(line));
    }

    /// <summary>Means over every hundred steps as JSON lines: what lies beside a finished model.</summary>
    public string Summary() => string.Concat(lines.Values.Chunk(Window).Select(chunk => Text(new Line(
        chunk[^1].Step, chunk[^1].Steps, Math.Round(chunk.Average(line => line.Loss), 5), Math.Round(chunk.Average(line => line.GradientNorm), 4),
        Math.Round(chunk[^1].LearningRate, 7), chunk.Sum(line => line.Tokens)))));

    public void Dispose() => writer.Dispose();

    // A line cut off by a kill lies beyond the saved state; its step is done again.
    private void Take(IEnumerable<string> written)
    {
        foreach (string text in written)
        {
            try
            {
                if (JsonSerializer.Deserialize<Line>(text, CanonicalJson.Spelling) is { } line) lines[line.Step] = line;
            }
            catch (JsonException)
            {
                return;
            }
        }
    }

    private static string Text(Line line) => JsonSerializer.Serialize(line, CanonicalJson.Spelling) + "\n";

    private sealed record Line(int Step, int Steps, double Loss, double GradientNorm, double LearningRate, long Tokens);
}
