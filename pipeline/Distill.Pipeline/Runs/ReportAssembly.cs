using System.Text.Json;
using Distill.Architecture;
using Distill.Evaluation;
using Distill.Export.Parity;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Stages;

namespace Distill.Pipeline.Runs;

/// <summary>Finished stages → report. Reads artefacts; what it computes are the paired comparisons.</summary>
internal static class ReportAssembly
{
    public static RunReport Of(DistillationRecipe recipe, string run, RunArtifacts artifacts, RunLedger ledger)
    {
        var answers = AnswerSheets.Read(artifacts);
        return new RunReport
        {
            Run = run,
            RecipeDigest = CanonicalJson.Digest(RecipeWriter.ToJson(recipe, path => Path.GetFileName(path))),
            Stages = [.. artifacts.Stages.Select(stage => Describe(stage, ledger))],
            Evaluations = [.. artifacts.Stages.Where(stage => stage.Stage is EvaluationStage).Select(Evaluation)],
            Parity = artifacts.Find(StageNames.Parity) is { } parity
                ? JsonSerializer.Deserialize<ParityReport>(File.ReadAllBytes(parity.PathOf(ParityStage.ReportName)), ParityStage.ReportSpelling)
                : null,
            Throughput = Rates(artifacts, ledger),
            Comparisons = answers.Compare(),
            OnnxGreedyAnswersEqual = answers.Equality("onnx", artifacts.StudentStage),
            ModelSizes = [.. Sizes(recipe, artifacts)],
            Curation = artifacts.Find(StageNames.Curated) is { } curated
                ? JsonSerializer.Deserialize<CurationReport>(File.ReadAllBytes(curated.PathOf(CurationStage.Counts)), CanonicalJson.Spelling)
                : null,
            Notes = [.. Notes(recipe, artifacts)],
            Models = [.. artifacts.Stages.Select(stage => stage.Stage).OfType<EvaluationStage>().Select(Model)],
            Recipe = RecipeReport.Of(recipe),
            Machine = MachineReport.OfThisMachine(),
        };
    }

    private static ReportedModel Model(EvaluationStage evaluation)
    {
        string name = evaluation.Name.Split('/')[1];
        return name switch
        {
            "teacher" => new(name, ModelRole.Teacher, name, "only run: the model that wrote the traces"),
            "base" => new(name, ModelRole.Base, name, "the student before training"),
            "answer-only" => new(name, ModelRole.Student, name, "trained on answers alone"),
            "sft" => new(name, ModelRole.Student, "steps", "trained on the teacher’s steps"),
            "preference" => new(name, ModelRole.Student, "preferences", "then tuned to prefer right completions"),
            "rl" => new(name, ModelRole.Student, "RL", "then rewarded for right answers"),
            "onnx" => new(name, ModelRole.Exported, "ONNX", "the exported file"),
            _ => new(name, ModelRole.Student, name, ""),
        };
    }

    private static StageReport Describe(FinishedStage stage, RunLedger ledger) => new(
        stage.Stage.Name, stage.Outcome.State, $"{stage.Outcome.Reason}: {FinishedStages.SummaryOf(stage.Artifact)}",
        Entry(stage, ledger) is { TakenFrom: null } entry ? Math.Round(entry.Seconds, 3) : null,
        stage.Inputs, new Dictionary<string, string> { [stage.Stage.Folder] = stage.Artifact.Digest });

    private static Dictionary<string, double> Rates(RunArtifacts artifacts, RunLedger ledger) => artifacts.Stages
        .SelectMany(stage => Entry(stage, ledger)?.Measures.Select(measure => KeyValuePair.Create($"{stage.Stage.Name}/{measure.Key}", measure.Value)) ?? [])
        .ToDictionary(pair => pair.Key, pair => pair.Value);

    private static IEnumerable<string> Notes(DistillationRecipe recipe, RunArtifacts artifacts)
    {
        if (recipe.Teacher.Remote is { } remote)
            yield return $"The teacher {recipe.Teacher.Name} at {new Uri(remote.Endpoint).Host} is not in the comparison: measuring it would ask and pay for every test problem. Its traces: {FinishedStages.SummaryOf(artifacts.Find(StageNames.Traces)!)}.";
        if (artifacts.Find(StageNames.Preference) is { } preference) yield return $"Preferences: {FinishedStages.SummaryOf(preference)}.";
        if (artifacts.Find(StageNames.Rl) is { } rl) yield return $"Reinforcement: {FinishedStages.SummaryOf(rl)}.";
    }

    private static LedgerEntry? Entry(FinishedStage stage, RunLedger ledger) => ledger.Find(stage.Stage.Name, FinishedStages.KeyOf(stage.Artifact) ?? "");

    private static EvaluationReport Evaluation(FinishedStage stage) =>
        JsonSerializer.Deserialize<EvaluationReport>(File.ReadAllBytes(stage.Artifact.PathOf(EvaluationStage.ReportName)), EvaluationStage.Spelling)
        ?? throw new InvalidDataException($"'{stage.Artifact.Folder}' holds no evaluation.");

    private static IEnumerable<ModelSize> Sizes(DistillationRecipe recipe, RunArtifacts artifacts)
    {
        if (recipe.Teacher.Remote is null && Parameters(Path.Combine(recipe.Teacher.Model, DecoderConfigJson.FileName)) is { } teacher) yield return Size("teacher", teacher);
        yield return Size("base", DecoderConfigJson.Read(Path.Combine(recipe.Student.Base, DecoderConfigJson.FileName)).ParameterCount);
        foreach (string stage in (string[])[StageNames.AnswerOnly, StageNames.Sft, StageNames.Preference, StageNames.Rl])
        {
            if (artifacts.Find(stage) is not null) yield return Size(stage, artifacts.ArchitectureOf(stage).ParameterCount);
        }

        yield return Size("onnx", artifacts.StudentArchitecture().ParameterCount);
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
