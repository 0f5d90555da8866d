using System.Text.Json.Nodes;
using Distill.Architecture;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Stages.Training;
using Distill.Storage;

namespace Distill.Pipeline.Runs;

/// <summary>The finished stages of a run, read for its report. Every file is checked before it is read.</summary>
internal sealed class RunArtifacts(StageGraph graph, IReadOnlyList<FinishedStage> done)
{
    public StageGraph Graph => graph;

    public IReadOnlyList<FinishedStage> Stages => done;

    public Artifact? Find(string stage) => done.FirstOrDefault(finished => finished.Declaration.Name == stage)?.Artifact;

    public DecoderArchitecture ArchitectureOf(string stage) => TrainedStudent.ArchitectureOf(Find(stage)!);

    /// <summary>Folder of the last student's checkpoint.</summary>
    public string StudentFolder(DistillationRecipe recipe) =>
        Find(graph.Student) is { } made ? Path.Combine(made.Folder, TrainedStudent.CheckpointFolder) : recipe.Student.Base;

    /// <summary>Measurements of the trainings, by stage and name.</summary>
    public IReadOnlyList<MetricSeries> Curves() =>
        [.. graph.Students.SelectMany(stage => Find(stage.Name) is { } made && HasCurve(made) ? Curves(stage.Name, made) : [])];

    // What was trained elsewhere has none.
    private static bool HasCurve(Artifact training) => training.Manifest.Files.Any(file => file.Path == TrainingCurve.FileName);

    private static IEnumerable<MetricSeries> Curves(string stage, Artifact artifact)
    {
        var points = File.ReadLines(artifact.PathOf(TrainingCurve.FileName)).Select(line => JsonNode.Parse(line)!.AsObject()).ToList();
        return points.SelectMany(point => point.Select(pair => pair.Key)).Distinct().Where(name => name != "step")
            .Select(name => new MetricSeries(
                stage, name,
                [
                    .. points.Where(point => point[name] is not null)
                        .Select(point => ((double)point["step"]!.GetValue<int>(), point[name]!.GetValue<double>())),
                ]));
    }
}
