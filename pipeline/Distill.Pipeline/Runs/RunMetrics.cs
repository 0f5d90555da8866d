using System.Text;
using System.Text.Json.Nodes;
using Distill.Storage;
using Microsoft.Win32.SafeHandles;
using TorchSharp;
using TorchSharp.Modules;

namespace Distill.Pipeline.Runs;

/// <summary>
/// Appends measurements to <c>metrics.jsonl</c> as they come, with the time they came at, and to TensorBoard's files. Several processes of
/// a machine may write one file: each line is one write at its end. Thread-safe; the creator disposes it.
/// </summary>
internal sealed class RunMetrics : IDisposable
{
    private readonly Lock gate = new();
    private readonly TimeProvider clock;
    private readonly SafeFileHandle file;
    private readonly TensorBoardLog? board;

    /// <param name="path">Of the JSON lines.</param>
    /// <param name="boardFolder">Of the event files; null for none.</param>
    public RunMetrics(string path, TimeProvider clock, string? boardFolder = null)
    {
        board = boardFolder is null ? null : new TensorBoardLog(boardFolder);
        this.clock = clock;
        bool isCutOff = EndsWithinLine(path);
        file = NativeFile.OpenToAppend(path);
        if (isCutOff) Append("\n");
    }

    public void Add(string stage, int step, IReadOnlyDictionary<string, double> values)
    {
        var line = new JsonObject { ["time"] = clock.GetUtcNow().ToString("O"), ["stage"] = stage, ["step"] = step };
        foreach (var (name, value) in values) line[name] = double.IsFinite(value) ? value : null;
        lock (gate)
        {
            Append(line.ToJsonString() + "\n");
            board?.Add(stage, step, values);
        }
    }

    public void Dispose() => file.Dispose();

    // The place counts where the system has no files that are appended to, and one process writes.
    private void Append(string text) => RandomAccess.Write(file, Encoding.UTF8.GetBytes(text), RandomAccess.GetLength(file));

    // A kill may have cut the last line; the next one must not be glued to it.
    private static bool EndsWithinLine(string path)
    {
        if (!File.Exists(path)) return false;
        using var stream = File.OpenRead(path);
        if (stream.Length == 0) return false;
        stream.Seek(-1, SeekOrigin.End);
        return stream.ReadByte() != '\n';
    }
}

/// <summary>
/// Event files that TensorBoard shows: one folder per stage below <c>tensorboard/</c>, made when the stage's first measurement comes. A
/// continued run adds a file; steps that were done again are there twice. Every value is
/// written at once and no file stays open. Not thread-safe.
/// </summary>
internal sealed class TensorBoardLog(string folder)
{
    private readonly Dictionary<string, SummaryWriter> writers = [];

    public void Add(string stage, int step, IReadOnlyDictionary<string, double> values)
    {
        if (!writers.TryGetValue(stage, out var writer))
        {
            string path = Path.Combine(folder, stage.Replace('/', '-'));
            Directory.CreateDirectory(path);
            writers[stage] = writer = torch.utils.tensorboard.SummaryWriter(path, createRunName: false);
        }

        foreach (var (name, value) in values)
        {
            if (double.IsFinite(value)) writer.add_scalar(name, (float)value, step);
        }
    }
}
