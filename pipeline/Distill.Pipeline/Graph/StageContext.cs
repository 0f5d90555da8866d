using Distill.Pipeline.Planning;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages.Training;
using Distill.Pipeline.Watching;
using Distill.Storage;

namespace Distill.Pipeline.Graph;

/// <summary>An input of a stage: the artefact of an earlier stage, or a model folder that the recipe names.</summary>
/// <param name="Artifact">Null for a model folder.</param>
internal sealed record StageInput(string Folder, string Digest, Artifact? Artifact)
{
    /// <summary>
    /// Where the weights of a student lie: a stage's artefact holds more than them, a recipe's model is a checkpoint itself.
    /// </summary>
    public string CheckpointFolder => Artifact is null ? Folder : Path.Combine(Folder, TrainedStudent.CheckpointFolder);

    /// <summary>Full path of a file of the artefact, its content checked.</summary>
    public string PathOf(string file) => Require().PathOf(file);

    /// <summary>Paths of the artefact's files that end with a text, by name, each content checked.</summary>
    public IEnumerable<string> PathsOf(string ending) =>
        FilesWith(ending).Select(file => PathOf(file.Path));

    /// <summary>What the manifest says of the same files.</summary>
    public IReadOnlyList<ArtifactFile> FilesWith(string ending) =>
        [.. Require().Manifest.Files.Where(file => file.Path.EndsWith(ending, StringComparison.Ordinal))];

    private Artifact Require() => Artifact ?? throw new InvalidOperationException($"'{Folder}' is no artefact.");
}

/// <summary>What a stage gets: its inputs, a place to write, the clock, somebody who watches. Lives for one stage of one run.</summary>
internal sealed class StageContext(
    string stage, ArtifactWriter writer, IReadOnlyDictionary<string, StageInput> inputs, IRunObserver observer, RunMetrics metrics,
    TimeProvider clock, CancellationToken cancellation)
{
    private readonly Dictionary<string, double> measures = [];

    public required IStageExecutor Executor { get; init; }

    /// <summary>
    /// Completions that were paid for, to be found again by whoever asks the same; null when other runs' are not to be used.
    /// </summary>
    public required string? SharedRequests { get; init; }

    /// <summary>Completions of local models, likewise.</summary>
    public required string? SharedCompletions { get; init; }

    /// <summary>Folder of the run, for what a stage has to leave behind when it fails. Nothing that succeeds writes there.</summary>
    public required string RunFolder { get; init; }

    public ArtifactWriter Writer => writer;

    public string Folder => writer.Folder;

    public TimeProvider Clock => clock;

    public CancellationToken Cancellation => cancellation;

    /// <summary>Rates and the like: shown in the report, not part of the artefact.</summary>
    public IReadOnlyDictionary<string, double> Measures => measures;

    /// <summary>What the stage said it did; null while it has not.</summary>
    public WorkDone? Work { get; private set; }

    /// <summary>Says how much was done, for predictions and the report; no part of the artefact.</summary>
    public void Worked(WorkDone done) => Work = done;

    public StageInput Input(string name) => inputs[name];

    /// <summary>Whether the stage declares an input.</summary>
    public bool HasInput(string name) => inputs.ContainsKey(name);

    /// <summary>A part that an interrupted run committed; null when it has to be made. A damaged one is set aside and said.</summary>
    public ArtifactFile? TryTake(string name) => writer.TryTake(
        name, aside => Warning($"A finished part of '{stage}' was damaged and is made again; it was set aside as '{aside}'."));

    public void Progress(StageProgress progress) => observer.Progress(stage, progress);

    public void Metric(int step, IReadOnlyDictionary<string, double> values)
    {
        metrics.Add(stage, step, values);
        observer.Metric(stage, step, values);
    }

    /// <summary>Tells whoever watches that a unit is being made.</summary>
    /// <returns>Dispose it when the unit is committed, or given up.</returns>
    public UnitTelemetry BeginUnit(int unit) => UnitTelemetry.Begin(stage, unit, clock);

    public void Measure(string name, double value) => measures[name] = value;

    /// <summary>Says what is worth knowing and no fault.</summary>
    public void Note(string message) => observer.Note(message);

    public void Warning(string message) => observer.Warning(message);

    /// <summary>Takes every file that lies in a folder of the artefact into it.</summary>
    public void AddFolder(string name)
    {
        string root = Path.Combine(Folder, name);
        foreach (string path in Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            writer.Add(Path.GetRelativePath(Folder, path).Replace(Path.DirectorySeparatorChar, '/'));
    }
}
