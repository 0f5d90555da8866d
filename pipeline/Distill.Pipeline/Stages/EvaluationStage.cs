using System.Text.Json;
using System.Text.Json.Serialization;
using Distill.Evaluation;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Models;
using Distill.Pipeline.Planning;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Stages.Data;
using Distill.Storage;
using Distill.Tokenization;

namespace Distill.Pipeline.Stages;

/// <summary>One model on the test problems and their twins, by the same measurement as every other.</summary>
internal sealed class EvaluationStage : IDividedStage
{
    public const string AnswersName = "answers.jsonl";

    internal const string ReportName = "evaluation.json";

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
                ("evaluation", recipe.Evaluation.ToAnswersKey(recipe)),
                ("verifiers", RecipeVerifiers.VersionsOf(recipe)),
                ("prompt", PromptSection.KeyOf(Style)),
                ("device", IsTeacher ? recipe.Devices.TeacherKey(recipe)
                    : isCheckpoint ? recipe.Devices.StudentsKey(recipe) : recipe.Devices.ExportedKey(recipe))),
            Resource = StageResource.Model,
        };
    }

    public StageDeclaration Declaration { get; }

    public string Work =>
        $"{recipe.Problems.Test:N0} problems × (1 greedy + {recipe.Evaluation.Samples} samples), twins of {recipe.Problems.Twins:N0}";

    /// <summary>A student is as large as its base.</summary>
    public StageMemory? Memory => ModelMemory.ForCompletions(
        input == ExternalInputs.Teacher ? recipe.Teacher.Model : recipe.Student.Base, recipe.Evaluation.Slots, recipe.Evaluation.MaxTokens,
        card: Declaration.Options.ContainsKey("device"));

    public StageLoad Load(Foresight earlier)
    {
        long problems = earlier.Rows(ProblemsStage.Test) ?? recipe.Problems.Test, twins = earlier.Rows(ProblemsStage.Twins) ?? 0;
        return new(WorkKind.Completions, (problems * (1 + recipe.Evaluation.Samples)) + twins)
        {
            Model = IsTeacher ? ExternalInputs.Teacher : ExternalInputs.Base, MaxTokens = recipe.Evaluation.MaxTokens,
            Setting = $"{recipe.Evaluation.Slots} slots",
        };
    }

    internal static JsonSerializerOptions Spelling { get; } = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NewLine = "\n",
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static EvaluationStage OfModelFolder(DistillationRecipe recipe, string model, string input) =>
        new(recipe, model, input, isCheckpoint: false);

    public static EvaluationStage OfCheckpoint(DistillationRecipe recipe, string model, string input) =>
        new(recipe, model, input, isCheckpoint: true);

    public static string NameOf(string model) => $"{Group}/{model}";

    public static string ModelOf(string stage) => stage[(Group.Length + 1)..];

    public static EvaluationReport ReadReport(Artifact evaluation) =>
        JsonSerializer.Deserialize<EvaluationReport>(File.ReadAllBytes(evaluation.PathOf(ReportName)), Spelling)
        ?? throw new InvalidDataException($"'{evaluation.Folder}' holds no evaluation.");

    public IStageWork Begin(StageContext context) => new EvaluationWork(context, recipe.Evaluation.ToOptions(), model)
    {
        Model = Open(context.Input(input)),
        Problems = ProblemsStage.Read(context, ProblemsStage.Test),
        Twins = ProblemsStage.Read(context, ProblemsStage.Twins),
        Verifiers = RecipeVerifiers.Open(context, recipe),
    };

    // The teacher is asked as it was when it wrote the traces, every student as it was trained.
    private PromptStyle Style => IsTeacher ? recipe.Prompt.ToTeacherStyle() : recipe.Prompt.ToStudentStyle();

    private bool IsTeacher => input == ExternalInputs.Teacher;

    private ServedModel Open(StageInput model)
    {
        var device = (IsTeacher ? recipe.Devices.Teacher(recipe)
            : isCheckpoint ? recipe.Devices.Students(recipe) : recipe.Devices.Exported(recipe)).Device;
        return isCheckpoint ? ServedModel.OpenCheckpoint(model.CheckpointFolder, recipe.Evaluation.Slots, style: Style, device: device)
            : ServedModel.Open(model.Folder, recipe.Evaluation.Slots, style: Style, device: device);
    }
}
