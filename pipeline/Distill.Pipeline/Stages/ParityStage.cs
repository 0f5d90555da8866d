using System.Text.Json;
using System.Text.Json.Nodes;
using Distill.Architecture;
using Distill.Data.Problems;
using Distill.Export;
using Distill.Export.Parity;
using Distill.Generation.Onnx;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Models;
using Distill.Pipeline.Planning;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages.Data;
using Distill.Storage;
using Distill.Teacher;
using Distill.Tokenization;

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
        Version = 3,
        Inputs = [ProblemsStage.Test, student, ExportStage.StageName],
        Options = StageDeclaration.OptionsOf(
            ("parity", recipe.Parity.ToKey(recipe)), ("prompt", PromptSection.KeyOf(recipe.Prompt.ToStudentStyle())),
            ("answers", AnswersKey(recipe))),
        Resource = StageResource.Model,
    };

    public string Work => $"{recipe.Parity.Prompts} prompts × {recipe.Parity.Tokens} greedy tokens";

    public StageLoad Load(Foresight earlier) =>
        new(WorkKind.Parity, recipe.Parity.Prompts) { Model = ExternalInputs.Base, Setting = $"{recipe.Parity.Tokens} tokens" };

    public string Run(StageContext context)
    {
        var checkpoint = Checkpoint.Open(context.Input(student).CheckpointFolder);
        string folder = context.Input(ExportStage.StageName).Folder;
        var style = recipe.Prompt.ToStudentStyle();
        using var exported = ServedModel.OpenModelFolder(folder, slots: 8, style: style);
        var opened = ModelFolder.Open(folder);
        var serving = ServedModel.Options(ServedModel.WeightBytes(opened));
        using var runtimes = ExportedRuntimes.Open(opened, recipe.Parity.RuntimeNames, Precision, onProcessor: true, serving);
        Problem[] problems = [.. ProblemsStage.Read(context, ProblemsStage.Test).Take(recipe.Parity.Prompts)];
        var report = new ExportGate(
            new(opened, exported.Model, exported.Encoder, checkpoint, ChatEncoder.Load(checkpoint.Folder).With(style)),
            PlanOf(exported, problems, runtimes, serving))
            .Run(share => context.Progress(new StageProgress(share * problems.Length, problems.Length, "prompts")), context.Cancellation);
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(report, ReportSpelling);
        string failed = Path.Combine(context.RunFolder, FailedName);
        File.Delete(failed);
        if (!report.Passed)
        {
            ReplacedFile.Write(failed, json);
            throw new GateFailedException(
                $"The parity gate failed: {string.Join("; ", report.Refusals ?? [])}. {report.Fault?.Words} Nothing after it was run. "
                + $"The gate's report: {failed}");
        }

        context.Writer.Write(ReportName, json);
        context.Worked(new WorkDone(problems.Length, Units: problems.Length));
        return Describe(report);
    }

    public static ParityReport? ReadReport(Artifact parity) =>
        JsonSerializer.Deserialize<ParityReport>(File.ReadAllBytes(parity.PathOf(ReportName)), ReportSpelling);

    private static JsonSerializerOptions ReportSpelling { get; } = new(JsonSerializerDefaults.Web) { WriteIndented = true, NewLine = "\n" };

    private ExportPrecision Precision => recipe.Export.Precision;

    // What decides the answers that a rounded export is compared on.
    private static JsonObject? AnswersKey(DistillationRecipe recipe) => QualityLimits.For(recipe.Export.Precision) is null ? null
        : new JsonObject { ["max_tokens"] = recipe.Evaluation.MaxTokens, ["verifiers"] = RecipeVerifiers.VersionsOf(recipe) };

    private GatePlan PlanOf(
        ServedModel exported, IReadOnlyList<Problem> problems, ExportedRuntimes runtimes, OnnxModelOptions serving) => new()
    {
        Inputs = InputsOf(exported, problems),
        Tolerance = recipe.Parity.ToleranceFor(Precision),
        Limits = recipe.Parity.LimitsFor(Precision),
        // A judge's verdicts cost money: its problems are measured by their solutions, and nobody answers them.
        Problems = [.. problems.Where(IsGradedHere)],
        Texts = problems.Any(IsGradedHere) ? null : SolutionTexts(exported, problems),
        AnswerTokens = Math.Min(recipe.Evaluation.MaxTokens, MeasuredText.Longest),
        Runtimes = runtimes.All,
        Serving = serving,
    };

    private static bool IsGradedHere(Problem problem) => ProblemVerifiers.Standard.TryGet(problem.Verifier) is not null;

    private static MeasuredText[] SolutionTexts(ServedModel exported, IReadOnlyList<Problem> problems) => [.. problems.Select(problem =>
    {
        int[] tokens = Example(exported, problem);
        int prompt = ProblemPrompt.Encode(exported.Encoder, problem, exported.Model.MaxLength).Length;
        return MeasuredText.Of(tokens[..prompt], tokens[prompt..], exported.Model.MaxLength);
    })];

    private ParityInputs InputsOf(ServedModel exported, IReadOnlyList<Problem> problems) => new()
    {
        Sequences = [.. problems.Select(problem => Sequence(exported, problem))],
        Prompts = [.. problems.Select(problem => ProblemPrompt.Encode(exported.Encoder, problem, exported.Model.MaxLength))],
        MaxNewTokens = recipe.Parity.Tokens,
        StopTokens = exported.Encoder.EndTokens, // what follows the end of an answer is nobody's choice
    };

    // Prompt and a worked solution, as far as the model and the gate read.
    private static int[] Sequence(ServedModel exported, Problem problem)
    {
        int[] tokens = Example(exported, problem);
        return tokens[..Math.Min(tokens.Length, Math.Min(MeasuredText.Longest, exported.Model.MaxLength))];
    }

    private static int[] Example(ServedModel exported, Problem problem) => exported.Encoder.EncodeExample(
        ProblemPrompt.Messages(problem), SolutionText.Of(problem) ?? problem.ReferenceAnswer).Tokens;

    private static string Describe(ParityReport report)
    {
        var figures = new List<string>
        {
            $"largest logit difference {ParityFigure.Of(report.MaxAbsLogitDiff)} of {ParityFigure.Of(report.MaxAbsLogit)}",
            $"{ParityFigure.Count(report.GreedyMismatches)} of {ParityFigure.Count(report.GreedyTokensCompared)} greedy tokens differ",
        };
        if (report.Quality is { } quality)
            figures.Add($"perplexity {ParityFigure.Of(quality.PerplexityRatio)} times the model's");
        string[] runtimes = [.. (report.Runtimes ?? []).Where(runtime => runtime.NotRun is null).Select(runtime => runtime.Name)];
        if (runtimes.Length > 0) figures.Add($"the same tokens in {string.Join(", ", runtimes)}");
        return string.Join(", ", figures);
    }
}
