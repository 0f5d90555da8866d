using Distill.Tokenization;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Models;
using Distill.Data.Storage;
using Distill.Pipeline.Stages.Data;
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
    public const string AnswersName = "answers.jsonl";

    private const string ReportName = "evaluation.json";

    private const string Group = "evaluation";

    private readonly DistillationRecipe recipe;
    private readonly string model;
    private readonly string input;
    private readonly bool isCheckpoint;

    private EvaluationStage(DistillationRecipe recipe, string model, string input, bool isCheckpoint)
    {
        (this.recipe, this.model, this.input, this.isCheckpoint) = (recipe, model, input, isCheckpoint);
        Declaration = new()
        {
            Name = NameOf(model),
            Folder = $"8-evaluation/{model}",
            Kind = "evaluation",
            Version = 2,
            Inputs = [ProblemsStage.Test, ProblemsStage.Twins, input],
            Options = StageDeclaration.OptionsOf(
                ("evaluation", recipe.Evaluation.ToKey(recipe)), ("verifiers", RecipeVerifiers.VersionsOf(recipe)), ("prompt", PromptSection.KeyOf(Style))),
            Resource = StageResource.Model,
        };
    }

    public StageDeclaration Declaration { get; }

    public string Work => $"{recipe.Problems.Test:N0} problems × (1 greedy + {recipe.Evaluation.Samples} samples), twins of {recipe.Problems.Twins:N0}";

    /// <summary>A student is as large as its base.</summary>
    public long? MemoryBytes => ModelMemory.ForCompletions(
        input == ExternalInputs.Teacher ? recipe.Teacher.Model : recipe.Student.Base, recipe.Evaluation.Slots, recipe.Evaluation.MaxTokens);

    private static JsonSerializerOptions Spelling { get; } = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NewLine = "\n",
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static EvaluationStage OfModelFolder(DistillationRecipe recipe, string model, string input) => new(recipe, model, input, isCheckpoint: false);

    public static EvaluationStage OfCheckpoint(DistillationRecipe recipe, string model, string input) => new(recipe, model, input, isCheckpoint: true);

    public static string NameOf(string model) => $"{Group}/{model}";

    public static string ModelOf(string stage) => stage[(Group.Length + 1)..];

    public static EvaluationReport ReadReport(Artifact evaluation) =>
        JsonSerializer.Deserialize<EvaluationReport>(File.ReadAllBytes(evaluation.PathOf(ReportName)), Spelling)
        ?? throw new InvalidDataException($"'{evaluation.Folder}' holds no evaluation.");

    public string Run(StageContext context)
    {
        Problem[] test = ProblemsStage.Read(context, ProblemsStage.Test), twins = ProblemsStage.Read(context, ProblemsStage.Twins);
        using var served = Open(context.Input(input));
        long began = context.Clock.GetTimestamp();
        var result = new Evaluator(served.Generator, served.Encoder).Run(model, test, twins, recipe.Evaluation.ToOptions(), progress => context.Progress(new StageProgress(
            progress.Completions, progress.Total, "completions", model, progress.CompletionTokens / context.Clock.GetElapsedTime(began).TotalSeconds, "tokens/s")), context.Cancellation);
        context.Measure("tokensPerSecond", result.Totals.CompletionTokens / context.Clock.GetElapsedTime(began).TotalSeconds);
        context.Writer.Write(ReportName, JsonSerializer.SerializeToUtf8Bytes(result.Report, Spelling));
        context.Writer.Write(AnswersName, Answers(result));
        string sampled = result.Report.PassAt1 is { } share ? $", sampled {ReportNumbers.Percent(share, test.Length)}" : "";
        return $"greedy {ReportNumbers.Percent(result.Report.Greedy, test.Length)}{sampled} of {test.Length:N0} problems";
    }

    // The teacher is asked as it was when it wrote the traces, every student as it was trained.
    private PromptStyle Style => input == ExternalInputs.Teacher ? recipe.Prompt.ToTeacherStyle() : recipe.Prompt.ToStudentStyle();

    private ServedModel Open(StageInput model) => isCheckpoint
        ? ServedModel.OpenCheckpoint(model.CheckpointFolder, recipe.Evaluation.Slots, style: Style)
        : ServedModel.OpenModelFolder(model.Folder, recipe.Evaluation.Slots, style: Style);

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
