using System.Text;
using Distill.Architecture;
using Distill.Data.Storage;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Stages;
using Distill.Pipeline.Stages.Data;

namespace Distill.Pipeline.Runs;

/// <summary>Finished stages → report. Reads artefacts; what it computes are the paired comparisons.</summary>
internal static class RunReporting
{
    public static RunReport Write(DistillationRecipe recipe, RunFolder folder, RunArtifacts artifacts, RunLedger ledger)
    {
        var report = Of(recipe, folder.Name, artifacts, ledger);
        ReplacedFile.Write(folder.ReportJsonPath, Encoding.UTF8.GetBytes(ReportJson.Write(report)));
        ReplacedFile.Write(folder.ReportPath, Encoding.UTF8.GetBytes(ReportHtml.Render(report, artifacts.Curves())));
        return report;
    }

    private static RunReport Of(DistillationRecipe recipe, string run, RunArtifacts artifacts, RunLedger ledger)
    {
        var answers = AnswerSheets.Read(artifacts.Stages);
        return new RunReport
        {
            Run = run,
            RecipeDigest = PackageStage.DigestOf(recipe),
            Stages = [.. artifacts.Stages.Select(stage => Describe(stage, ledger))],
            Evaluations =
            [
                .. artifacts.Stages.Where(stage => stage.Stage is EvaluationStage)
                    .Select(stage => EvaluationStage.ReadReport(stage.Artifact)),
            ],
            Parity = artifacts.Find(ParityStage.StageName) is { } parity ? ParityStage.ReadReport(parity) : null,
            Throughput = Rates(artifacts, ledger),
            Comparisons = answers.Compare(artifacts.Graph.Comparisons),
            OnnxGreedyAnswersEqual = answers.Equality(StageGraph.Exported, StudentName(artifacts.Graph)),
            ModelSizes = [.. Sizes(recipe, artifacts)],
            Curation = artifacts.Find(CurationStage.StageName) is { } curated ? CurationStage.ReadReport(curated) : null,
            Notes = [.. Notes(recipe, artifacts)],
            Models =
            [
                .. artifacts.Stages.Where(stage => stage.Stage is EvaluationStage)
                    .Select(stage => Model(artifacts.Graph, stage.Declaration)),
            ],
            Recipe = RecipeReport.Of(recipe),
            Machine = MachineReport.OfThisMachine(),
        };
    }

    private static ReportedModel Model(StageGraph graph, StageDeclaration evaluation)
    {
        string name = EvaluationStage.ModelOf(evaluation.Name);
        if (graph.Students.FirstOrDefault(stage => stage.Student!.Name == name)?.Student is { } student)
            return new(name, ModelRole.Student, student.Label, student.Description);
        return name switch
        {
            StageGraph.Teacher => new(name, ModelRole.Teacher, name, "only run: the model that wrote the traces"),
            StageGraph.Base => new(name, ModelRole.Base, name, "the student before training"),
            StageGraph.Exported => new(name, ModelRole.Exported, "ONNX", "the exported file"),
            _ => throw new InvalidOperationException($"No stage of the recipe makes a model '{name}'."),
        };
    }

    private static string StudentName(StageGraph graph) =>
        graph.Students.FirstOrDefault(stage => stage.Name == graph.Student)?.Student!.Name ?? StageGraph.Base;

    private static StageReport Describe(FinishedStage stage, RunLedger ledger) => new(
        stage.Declaration.Name, stage.Outcome.State, $"{stage.Outcome.Reason}: {FinishedStages.SummaryOf(stage.Artifact)}",
        Entry(stage, ledger) is { TakenFrom: null } entry ? Math.Round(entry.Seconds, 3) : null,
        stage.Inputs, new Dictionary<string, string> { [stage.Declaration.Folder] = stage.Artifact.Digest });

    private static Dictionary<string, double> Rates(RunArtifacts artifacts, RunLedger ledger) => artifacts.Stages
        .SelectMany(stage => Entry(stage, ledger)?.Measures
            .Select(measure => KeyValuePair.Create($"{stage.Declaration.Name}/{measure.Key}", measure.Value)) ?? [])
        .ToDictionary(pair => pair.Key, pair => pair.Value);

    private static IEnumerable<string> Notes(DistillationRecipe recipe, RunArtifacts artifacts)
    {
        if (recipe.Teacher.Remote is { } remote)
        {
            string traces = artifacts.Find(TracesStage.StageName) is { } made ? $" Its traces: {FinishedStages.SummaryOf(made)}." : "";
            yield return $"The teacher {recipe.Teacher.Name} at {new Uri(remote.Endpoint).Host} is not in the comparison: "
                + $"measuring it would ask and pay for every test problem.{traces}";
        }

        var noted = artifacts.Graph.Students
            .Where(stage => stage.Student!.Note is not null && artifacts.Find(stage.Name) is not null);
        foreach (var stage in noted)
            yield return $"{stage.Student!.Note}: {FinishedStages.SummaryOf(artifacts.Find(stage.Name)!)}.";
    }

    private static LedgerEntry? Entry(FinishedStage stage, RunLedger ledger) =>
        ledger.Find(stage.Declaration.Name, stage.Artifact.Manifest.Facts.GetValueOrDefault(StageKey.DigestFact, ""));

    private static IEnumerable<ModelSize> Sizes(DistillationRecipe recipe, RunArtifacts artifacts)
    {
        if (recipe.Teacher.Remote is null && Parameters(Path.Combine(recipe.Teacher.Model, DecoderConfigJson.FileName)) is { } teacher)
            yield return Size(StageGraph.Teacher, teacher);
        long start = DecoderConfigJson.Read(Path.Combine(recipe.Student.Base, DecoderConfigJson.FileName)).ParameterCount, exported = start;
        yield return Size(StageGraph.Base, start);
        foreach (var stage in artifacts.Graph.Students)
        {
            long parameters = artifacts.ArchitectureOf(stage.Name).ParameterCount;
            if (stage.Name == artifacts.Graph.Student) exported = parameters;
            yield return Size(stage.Student!.Name, parameters);
        }

        yield return Size(StageGraph.Exported, exported);
    }

    // A teacher made elsewhere may lack config.json or be of a family we do not train; its size is then not stated.
    private static long? Parameters(string config)
    {
        try
        {
            return File.Exists(config) ? DecoderConfigJson.Read(config).ParameterCount : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private static ModelSize Size(string model, long parameters) => new(model, parameters, parameters * sizeof(float));
}
