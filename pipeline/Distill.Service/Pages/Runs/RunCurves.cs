using System.Text;
using System.Text.Json;
using Distill.Pipeline.Reporting;
using Distill.Storage;

namespace Distill.Service.Pages.Runs;

/// <summary>
/// Learning curves of runs, also of those at work: reads what was added to <c>metrics.jsonl</c> since it was last asked. Steps that were
/// done again replace those that they repeat. Bounded in curves, points and files. Thread-safe.
/// </summary>
internal sealed class RunCurves
{
    private const int MostFiles = 16, MostCurves = 200, MostPoints = 4_000, LongestLine = 1 << 16, Block = 1 << 16;

    private readonly Dictionary<string, Tail> files = new(StringComparer.Ordinal);
    private readonly Lock gate = new();

    /// <summary>Empty where nothing was measured.</summary>
    public IReadOnlyList<MetricSeries> Of(string path)
    {
        lock (gate)
        {
            using var stream = OptionalFile.TryOpen(path);
            if (stream is null) return [];
            if (!files.TryGetValue(path, out var tail))
            {
                if (files.Count >= MostFiles) files.Clear();
                files[path] = tail = new Tail();
            }

            tail.ReadOn(stream);
            return tail.Curves();
        }
    }

    private sealed class Tail
    {
        private readonly Dictionary<(string Stage, string Name), Curve> curves = [];
        private readonly List<byte> line = [];
        private long offset;

        public IReadOnlyList<MetricSeries> Curves() =>
            [.. curves.Select(curve => new MetricSeries(curve.Key.Stage, curve.Key.Name, [.. curve.Value.Points]))];

        public void ReadOn(FileStream stream)
        {
            if (stream.Length < offset) Forget(); // another run of that name
            stream.Position = offset;
            byte[] block = new byte[Block];
            for (int read; (read = stream.Read(block)) > 0; offset += read)
            {
                foreach (byte one in block.AsSpan(0, read)) Take(one);
            }
        }

        private void Forget()
        {
            offset = 0;
            curves.Clear();
            line.Clear();
        }

        private void Take(byte one)
        {
            if (one != (byte)'\n')
            {
                if (line.Count < LongestLine) line.Add(one);
                return;
            }

            Add(Encoding.UTF8.GetString([.. line]));
            line.Clear();
        }

        private void Add(string text)
        {
            try
            {
                using var json = JsonDocument.Parse(text);
                var root = json.RootElement;
                if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("stage", out var stage)
                    || !root.TryGetProperty("step", out var step) || !step.TryGetInt32(out int number)) return;
                foreach (var value in root.EnumerateObject())
                {
                    bool isMeasure = value.Value.ValueKind == JsonValueKind.Number && value.Name is not ("step" or "time");
                    if (isMeasure) Add((stage.GetString() ?? "", value.Name), number, value.Value.GetDouble());
                }
            }
            catch (Exception fault) when (fault is JsonException or InvalidOperationException)
            {
                // A kill cut the line.
            }
        }

        private void Add((string Stage, string Name) key, int step, double value)
        {
            if (!curves.TryGetValue(key, out var curve))
            {
                if (curves.Count >= MostCurves) return;
                curves[key] = curve = new Curve();
            }

            curve.Add(step, value);
        }
    }

    /// <summary>Thins itself: of a long curve every second, fourth … point stays, which is finer than any screen.</summary>
    private sealed class Curve
    {
        private int every = 1, skipped;

        public List<(double Step, double Value)> Points { get; } = [];

        public void Add(double step, double value)
        {
            while (Points.Count > 0 && Points[^1].Step >= step) Points.RemoveAt(Points.Count - 1);
            if (++skipped < every) return;
            skipped = 0;
            Points.Add((step, value));
            if (Points.Count < MostPoints) return;
            for (int i = 0; i < Points.Count / 2; i++) Points[i] = Points[2 * i];
            Points.RemoveRange(Points.Count / 2, Points.Count - (Points.Count / 2));
            every *= 2;
        }
    }
}
