using System.Text.Json.Nodes;
using Distill.Architecture;
using Distill.Data.Storage;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Stages;

namespace Distill.Pipeline.Runs;

/// <summary>The finished stages of a run, read for its report. Every file is checked before it is read.</summary>
internal sealed class RunArtifacts(DistillationRecipe recipe, IReadOnlyList<FinishedStage> done)
{
    public IReadOnlyList<FinishedStage> Stages => done;

    /// <summary>The stage whose checkpoint was exported.</summary>
    public string StudentStage { get; } = StageList.StudentOf(recipe);

    public Artifact? Find(string stage) => done.FirstOrDefault(finished => finished.Stage.Name == stage)?.Artifact;

    public string ExternalDigest(string name) => done.Select(finished => finished.Inputs.GetValueOrDefault(name)).First(digest => digest is not null)!;

    public DecoderArchitecture StudentArchitecture() => ArchitectureOf(StudentStage);

    public DecoderArchitecture ArchitectureOf(string stage) =>
        DecoderConfigJson.Read(Find(stage)!.PathOf($"{SupervisedStage.CheckpointFolder}/{DecoderConfigJson.FileName}"));

    /// <summary>Measurements of the trainings, by stage and name.</summary>
    public IReadOnlyList<MetricSeries> Curves() =>
        [.. ((string[])[StageNames.AnswerOnly, StageNames.Sft, StageNames.Preference, StageNames.Rl]).SelectMany(stage => Find(stage) is { } artifact ? Curves(stage, artifact) : [])];

    private static IEnumerable<MetricSeries> Curves(string stage, Artifact artifact)
    {
        var points = File.ReadLines(artifact.PathOf(SupervisedStage.CurveName)).Select(line => JsonNode.Parse(line)!.AsObject()).ToList();
        return points.SelectMany(point => point.Select(pair => pair.Key)).Distinct().Where(name => name != "step").Select(name => new MetricSeries(
            stage, name, [.. points.Where(point => point[name] is not null).Select(point => ((double)point["step"]!.GetValue<int>(), point[name]!.GetValue<double>()))]));
    }
}
