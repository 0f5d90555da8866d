using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages;
using Distill.Pipeline.Stages.Data;
using Distill.Pipeline.Stages.Training;
using Distill.Storage;

namespace Distill.Pipeline.Promotions;

/// <summary>A finished run as one that may be promoted: its model, its answers, and what later nights need of it.</summary>
internal sealed class PromotionCandidate
{
    private readonly RunFolder folder;
    private readonly RunArtifacts artifacts;
    private readonly Artifact model;
    private readonly Lazy<IReadOnlySet<string>> trained;

    public PromotionCandidate(RunFolder folder, RunArtifacts artifacts, DigestMemory memory)
    {
        (this.folder, this.artifacts) = (folder, artifacts);
        model = artifacts.Find(RunFolder.ModelLink)!;
        trained = new(() => Trained().ToHashSet(StringComparer.Ordinal));
        Digest = ExternalInputs.DigestOf(model.Folder, memory, [.. model.Manifest.Files.Select(file => file.Path)]);
    }

    /// <summary>Of what decides how the model answers.</summary>
    public string Digest { get; }

    /// <summary>Digests of problems that the run itself trained on.</summary>
    public IReadOnlySet<string> TrainedOn => trained.Value;

    public bool? PassedParity => artifacts.Find(ParityStage.StageName) is { } parity ? ParityStage.ReadReport(parity)?.Passed : null;

    /// <summary>The held-out problems, twins aside.</summary>
    public IReadOnlyList<Problem> Problems() => [.. ProblemFile.Read(artifacts.Find(ProblemsStage.Test)!.PathOf(ProblemsStage.FileName))];

    /// <summary>Whether a model of the run solves each problem.</summary>
    public IReadOnlyDictionary<string, bool> Answers(string name) => AnswerSheets.Greedy(AnswersFile(name));

    /// <summary>Puts everything into the folder of a version.</summary>
    /// <param name="known">Digests of problems that an earlier version was trained on, where the run went on from it.</param>
    public PromotedVersion Fill(string target, int number, PromotionReport report, IEnumerable<string> known, TimeProvider clock)
    {
        foreach (var file in model.Manifest.Files)
            PlacedFiles.Take(model.PathOf(file.Path), Path.Combine(target, PromotedVersion.ModelFolder, file.Path));
        var student = artifacts.Find(artifacts.Graph.Student)!;
        const string Checkpoint = TrainedStudent.CheckpointFolder + "/";
        foreach (var file in student.Manifest.Files.Where(file => file.Path.StartsWith(Checkpoint, StringComparison.Ordinal)))
        {
            string name = file.Path[Checkpoint.Length..];
            PlacedFiles.Take(student.PathOf(file.Path), Path.Combine(target, PromotedVersion.StudentFolder, name));
        }

        foreach (var (stage, path) in TraceFiles())
            PlacedFiles.Take(path, Path.Combine(target, PromotedVersion.TracesFolder, $"{stage}-{Path.GetFileName(path)}"));
        PlacedFiles.Take(AnswersFile(StageGraph.Exported), Path.Combine(target, PromotedVersion.AnswersName));
        KnownProblems.Write(Path.Combine(target, PromotedVersion.ProblemsName), TrainedOn.Concat(known));
        var evaluation = artifacts.Find(EvaluationStage.NameOf(StageGraph.Exported))!;
        return new PromotedVersion(
            number, Digest, folder.Name, folder.RunsPath, clock.GetUtcNow(), evaluation.Manifest.Facts[StageKey.TextFact],
            FileDigest.OfFile(AnswersFile(StageGraph.Exported)), report);
    }

    private string AnswersFile(string name) => artifacts.Find(EvaluationStage.NameOf(name))!.PathOf(EvaluationStage.AnswersName);

    private IEnumerable<(string Stage, string Path)> TraceFiles() =>
        from stage in (string[])[CurationStage.StageName, ReplayStage.StageName]
        let made = artifacts.Find(stage)
        where made is not null
        from file in made.Manifest.Files.Where(file => file.Path.EndsWith(".parquet", StringComparison.Ordinal))
        select (stage, made.PathOf(file.Path));

    // Traces that were given bring problems of their own.
    private IEnumerable<string> Trained() => ((string[])[ProblemsStage.Train, ProblemsStage.Practice])
        .SelectMany(stage => artifacts.Find(stage) is { } made ? ProblemFile.Read(made.PathOf(ProblemsStage.FileName)) : [])
        .Concat(TraceFiles().SelectMany(file => TraceFile.ReadGradedTexts(file.Path)).Select(graded => graded.Trace.Problem))
        .Select(KnownProblems.DigestOf);
}
