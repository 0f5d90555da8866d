using System.Text.Json;
using System.Text.Json.Nodes;
using Distill.Architecture;
using Distill.Data.Problems;
using Distill.Export;
using Distill.Export.Parity;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Teacher;

namespace Distill.Pipeline.Stages;

/// <summary>Holds the exported model against the trained one in TorchSharp: logits of whole sequences, and greedy tokens through the cache.</summary>
internal sealed class ParityStage(DistillationRecipe recipe, string student) : IStage
{
    public const string ReportName = "parity.json";

    public string Name => StageNames.Parity;

    public string Folder => "7-parity";

    public string Kind => "parity";

    public int Version => 1;

    public IReadOnlyList<string> Inputs => [StageNames.Problems, student, StageNames.Onnx];

    public JsonObject Options => new() { ["parity"] = CanonicalJson.ToNode(recipe.Parity) };

    public string Work => $"{recipe.Parity.Prompts} prompts × {recipe.Parity.Tokens} greedy tokens";

    public string Run(StageContext context)
    {
        var checkpoint = Checkpoint.Open(Path.Combine(context.Input(student).Folder, SupervisedStage.CheckpointFolder));
        using var reference = new TorchReferenceModel(checkpoint.LoadWeights());
        using var exported = Engine.OpenModelFolder(context.Input(StageNames.Onnx).Folder, slots: 8);
        Problem[] problems = [.. ProblemFile.Read(context.Input(StageNames.Problems).PathOf(ProblemsStage.Test)).Take(recipe.Parity.Prompts)];
        var tolerance = new ParityTolerance(recipe.Parity.Tolerance, recipe.Export.Precision.ToExport().Tolerance().MismatchShare);
        var report = new ParityGate(reference, exported.Model).Run(
            InputsOf(exported, problems), tolerance, share => context.Progress(new StageProgress(share * problems.Length, problems.Length, "prompts")), context.Cancellation);
        if (!report.Passed) throw new GateFailedException($"The parity gate failed: {Describe(report)}. The exported model is not the trained one; nothing after it was run.");
        context.Writer.Write(ReportName, JsonSerializer.SerializeToUtf8Bytes(report, ReportSpelling));
        return Describe(report);
    }

    internal static JsonSerializerOptions ReportSpelling { get; } = new(JsonSerializerDefaults.Web) { WriteIndented = true, NewLine = "\n" };

    private ParityInputs InputsOf(Engine exported, IReadOnlyList<Problem> problems) => new()
    {
        Sequences = [.. problems.Select(problem => Sequence(exported, problem))],
        Prompts = [.. problems.Select(problem => ProblemPrompt.Encode(exported.Encoder, problem, exported.Model.MaxLength))],
        MaxNewTokens = recipe.Parity.Tokens,
    };

    // Prompt and a worked solution, as far as the model reads.
    private static int[] Sequence(Engine exported, Problem problem)
    {
        int[] tokens = exported.Encoder.EncodeExample(ProblemPrompt.Messages(problem), problem.ReferenceSolution ?? problem.ReferenceAnswer).Tokens;
        return tokens.Length <= exported.Model.MaxLength ? tokens : tokens[..exported.Model.MaxLength];
    }

    private static string Describe(ParityReport report) =>
        $"largest logit difference {report.MaxAbsLogitDiff:G3} of {report.MaxAbsLogit:G3} (allowed {report.Tolerance.RelativeLogits * report.MaxAbsLogit:G3}), "
        + $"{report.GreedyMismatches:N0} of {report.GreedyTokensCompared:N0} greedy tokens differ";
}
