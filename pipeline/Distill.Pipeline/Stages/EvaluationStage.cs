using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Distill.Data.Problems;
using Distill.Evaluation;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Runs;

namespace Distill.Pipeline.Stages;

/// <summary>One model on the test problems and their twins, by the same measurement as every other.</summary>
internal sealed class EvaluationStage : IStage
{
    public const string ReportName = "evaluation.json", AnswersName = "answers.jsonl";

    private readonly DistillationRecipe recipe;
    private readonly string model;
    private readonly string input;
    private readonly bool isCheckpoint;

    private EvaluationStage(DistillationRecipe recipe, string model, string input, bool isCheckpoint) =>
        (this.recipe, this.model, this.input, this.isCheckpoint) = (recipe, model, input, isCheckpoint);

    public string Name => $"{StageNames.Evaluation}/{model}";

    public string Folder => $"8-evaluation/{model}";

    public string Kind => "evaluation";

    public int Version => 2;

    public IReadOnlyList<string> Inputs => [StageNames.Problems, input];

    public JsonObject Options => new()
    {
        ["samples"] = recipe.Evaluation.Samples,
        ["temperature"] = recipe.Evaluation.Temperature,
        ["max_tokens"] = recipe.Evaluation.MaxTokens,
        ["seed"] = recipe.Seed,
        ["verifiers"] = VerifierVersions.Of(recipe),
    };

    public string Work => $"{recipe.Problems.Test:N0} problems × (1 greedy + {recipe.Evaluation.Samples} samples), twins of {recipe.Problems.Twins:N0}";

    /// <summary>A student is as large as its base.</summary>
    public long? MemoryBytes => EngineMemory.ForCompletions(
        input == ExternalInputs.Teacher ? recipe.Teacher.Model : recipe.Student.Base, recipe.Evaluation.Slots, recipe.Evaluation.MaxTokens);

    internal static JsonSerializerOptions Spelling { get; } = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NewLine = "\n",
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static EvaluationStage OfModelFolder(DistillationRecipe recipe, string model, string input) => new(recipe, model, input, isCheckpoint: false);

    public static EvaluationStage OfCheckpoint(DistillationRecipe recipe, string model, string input) => new(recipe, model, input, isCheckpoint: true);

    public string Run(StageContext context)
    {
        var problems = context.Input(StageNames.Problems);
        Problem[] test = [.. ProblemFile.Read(problems.PathOf(ProblemsStage.Test))], twins = [.. ProblemFile.Read(problems.PathOf(ProblemsStage.Twins))];
        using var engine = Open(context.Input(input));
        long began = context.Clock.GetTimestamp();
        var result = new Evaluator(engine.Generator, engine.Encoder).Run(model, test, twins, recipe.Evaluation.ToOptions((ulong)recipe.Seed), progress => context.Progress(new StageProgress(
            progress.Completions, progress.Total, "completions", model, progress.CompletionTokens / context.Clock.GetElapsedTime(began).TotalSeconds, "tokens/s")), context.Cancellation);
        context.Measure("tokensPerSecond", result.Totals.CompletionTokens / context.Clock.GetElapsedTime(began).TotalSeconds);
        context.Writer.Write(ReportName, JsonSerializer.SerializeToUtf8Bytes(result.Report, Spelling));
        context.Writer.Write(AnswersName, Answers(result));
        string sampled = result.Report.PassAt1 is { } share ? $", sampled {ReportNumbers.Percent(share, test.Length)}" : "";
        return $"greedy {ReportNumbers.Percent(result.Report.Greedy, test.Length)}{sampled} of {test.Length:N0} problems";
    }

    private Engine Open(StageInput model)
    {
        if (!isCheckpoint) return Engine.OpenModelFolder(model.Folder, recipe.Evaluation.Slots);
        string folder = model.Artifact is null ? model.Folder : Path.Combine(model.Folder, SupervisedStage.CheckpointFolder);
        return Engine.OpenCheckpoint(folder, recipe.Evaluation.Slots);
    }

    /// <summary>One line a problem, twins after them: what the paired comparisons of the report need.</summary>
    private static byte[] Answers(EvaluationResult result)
    {
        var text = new StringBuilder();
        foreach (var answer in result.Problems.Concat(result.Twins))
        {
            text.Append(new JsonObject
            {
                ["problem_id"] = answer.Problem.Id,
                ["greedy"] = answer.Greedy.IsCorrect,
                ["sampled"] = answer.SampledShare,
                ["answer"] = answer.Greedy.Answer,
                ["tokens"] = string.Join(' ', answer.Greedy.Completion.Tokens),
            }.ToJsonString(CanonicalJson.Spelling)).Append('\n');
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }
}
