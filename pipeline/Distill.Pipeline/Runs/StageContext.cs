using Distill.Data.Storage;

namespace Distill.Pipeline.Runs;

/// <summary>What a stage gets: its inputs, a place to write, the clock, somebody who watches. Lives for one stage of one run.</summary>
internal sealed class StageContext(
    string stage, ArtifactWriter writer, IReadOnlyDictionary<string, StageInput> inputs, IRunObserver observer, RunMetrics metrics, TimeProvider clock, CancellationToken cancellation)
{
    private readonly Dictionary<string, double> measures = [];

    public ArtifactWriter Writer => writer;

    public string Folder => writer.Folder;

    /// <summary>Completions that were paid for, to be found again by whoever asks the same; null when other runs' are not to be used.</summary>
    public string? SharedRequests { get; init; }

    public TimeProvider Clock => clock;

    public CancellationToken Cancellation => cancellation;

    /// <summary>Rates and the like: shown in the report, not part of the artefact.</summary>
    public IReadOnlyDictionary<string, double> Measures => measures;

    public StageInput Input(string name) => inputs[name];

    public void Progress(StageProgress progress) => observer.Progress(stage, progress);

    public void Metric(int step, IReadOnlyDictionary<string, double> values)
    {
        metrics.Add(stage, step, values);
        observer.Metric(stage, step, values);
    }

    public void Measure(string name, double value) => measures[name] = value;

    public void Warning(string message) => observer.Warning(message);

    /// <summary>Takes every file that lies in a folder of the artefact into it.</summary>
    public void AddFolder(string name)
    {
        string root = Path.Combine(Folder, name);
        foreach (string path in Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            writer.Add(Path.GetRelativePath(Folder, path).Replace(Path.DirectorySeparatorChar, '/'));
    }
}
