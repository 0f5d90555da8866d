using System.Text.Json;
using Distill.Architecture;
using Distill.Data.Problems;
using Distill.Data.Storage;
using Distill.Export;
using Distill.Export.Parity;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Models;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages.Data;
using Distill.Teacher;

namespace Distill.Pipeline.Stages;

/// <summary>
/// Holds the exported model against the trained one in TorchSharp: logits of whole sequences, and greedy tokens through the cache.
/// </summary>
internal sealed class ParityStage(DistillationRecipe recipe, string student) : IStage
{
    public const string StageName = "parity";

    /// <summary>What a gate that refused leaves in the folder of the run.</summary>
    public const string FailedName = "parity-failed.json";

    private const string ReportName = "parity.json";

    public StageDeclaration Declaration { get; } = new()
    {
        Name = StageName,
        Folder = "7-parity",
        Kind = "parity",
        Version = 1,
        Inputs = [ProblemsStage.Test, student, ExportStage.StageName],
        Options = StageDeclaration.OptionsOf(
            ("parity", recipe.Parity.ToKey(recipe)), ("prompt", PromptSection.KeyOf(recipe.Prompt.ToStudentStyle()))),
        Resource = StageResource.Model,
    };

    public string Work => $"{recipe.Parity.Prompts} prompts × {recipe.Parity.Tokens} greedy tokens";

    public string Run(StageContext context)
    {
        var checkpoint = Checkpoint.Open(context.Input(student).CheckpointFolder);
        using var reference = new TorchReferenceModel(checkpoint.LoadWeights());
        using var exported = ServedModel.OpenModelFolder(
            context.Input(ExportStage.StageName).Folder, slots: 8, style: recipe.Prompt.ToStudentStyle());
        Problem[] problems = [.. ProblemsStage.Read(context, ProblemsStage.Test).Take(recipe.Parity.Prompts)];
        var tolerance = new ParityTolerance(recipe.Parity.Tolerance, recipe.Export.Precision.Tolerance().MismatchShare);
        var report = new ParityGate(reference, exported.Model).Run(
            InputsOf(exported, problems), tolerance,
            share => context.Progress(new StageProgress(share * problems.Length, problems.Length, "prompts")),
            context.Cancellation);
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(report, ReportSpelling);
        string failed = Path.Combine(context.RunFolder, FailedName);
        File.Delete(failed);
        if (!report.Passed)
        {
            ReplacedFile.Write(failed, json);
            throw new GateFailedException(
                $"The parity gate failed: {Describe(report)}. The exported model is not the trained one; nothing after it was run. "
                + $"The gate's report: {failed}");
        }

        context.Writer.Write(ReportName, json);
        return Describe(report);
    }

    public static ParityReport? ReadReport(Artifact parity) =>
        JsonSerializer.Deserialize<ParityReport>(File.ReadAllBytes(parity.PathOf(ReportName)), ReportSpelling);

    private static JsonSerializerOptions ReportSpelling { get; } = new(JsonSerializerDefaults.Web) { WriteIndented = true, NewLine = "\n" };

    private ParityInputs InputsOf(ServedModel exported, IReadOnlyList<Problem> problems) => new()
    {
        Sequences = [.. problems.Select(problem => Sequence(exported, problem))],
        Prompts = [.. problems.Select(problem => ProblemPrompt.Encode(exported.Encoder, problem, exported.Model.MaxLength))],
        MaxNewTokens = recipe.Parity.Tokens,
    };

    // Prompt and a worked solution, as far as the model reads.
    private static int[] Sequence(ServedModel exported, Problem problem)
    {
        int[] tokens = exported.Encoder.EncodeExample(
            ProblemPrompt.Messages(problem), SolutionText.Of(problem) ?? problem.ReferenceAnswer).Tokens;
        return tokens.Length <= exported.Model.MaxLength ? tokens : tokens[..exported.Model.MaxLength];
    }

    private static string Describe(ParityReport report) =>
        $"largest logit difference {report.MaxAbsLogitDiff:G3} of {report.MaxAbsLogit:G3} "
        + $"(allowed {report.Tolerance.RelativeLogits * report.MaxAbsLogit:G3}), "
        + $"{report.GreedyMismatches:N0} of {report.GreedyTokensCompared:N0} greedy tokens differ";
}
