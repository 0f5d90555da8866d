using System.Text.Json.Nodes;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Models;
using Distill.Pipeline.Planning;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Stages.Data.Teachers;

namespace Distill.Pipeline.Stages.Data;

/// <summary>
/// The teacher solves the training problems, a unit being a part of the problems. Every completion is kept as it ends and every part
/// committed as it is finished, so a kill costs what was being written and no more.
/// </summary>
internal sealed class TracesStage(TeacherRole role) : IDividedStage
{
    public const string StageName = "traces", FolderName = "2-traces";

    private readonly DistillationRecipe recipe = role.Recipe;

    public StageDeclaration Declaration { get; } = new()
    {
        Name = role.Stage,
        Folder = role.Folder,
        Kind = "traces",
        Version = 5,
        Inputs = [ProblemsStage.Train, role.Model],
        Options = OptionsOf(role.Recipe),
        Resource = StageResource.Model,
    };

    public string Work
    {
        get
        {
            long completions = role.MostProblems * recipe.Teacher.Samples;
            long most = Math.Min(completions * recipe.Teacher.MaxTokens, recipe.Traces.MaxTokensTotal ?? long.MaxValue);
            string upTo = recipe.Traces.IsPlain ? "" : "up to ";
            return $"{role.Asked} × {upTo}{recipe.Teacher.Samples} samples, at most {most:N0} tokens";
        }
    }

    public StageMemory? Memory => ModelMemory.ForCompletions(
        recipe.Teacher.Model, recipe.Teacher.Slots, recipe.Teacher.MaxTokens, recipe.Devices.TeacherKey(recipe) is not null);

    public StageLoad Load(Foresight earlier) => TraceLoad.Of(role, earlier, WorkKind.Completions) with
    {
        Setting = TraceLoad.SettingOf(recipe),
    };

    public IStageWork Begin(StageContext context)
    {
        var teacher = context.Input(role.Model);
        var verifiers = RecipeVerifiers.Open(context, recipe);
        var sampling = new TraceSampling(recipe, verifiers);
        var problems = role.Problems(context);
        int count = problems.Count;
        return new TraceWork(context, problems, sampling.Limit(recipe.Teacher.ToCollectionOptions(teacher.Digest)))
        {
            Open = () => ServedModel.Open(
                teacher.Folder, recipe.Teacher.Slots, style: recipe.Prompt.ToTeacherStyle(), engine: recipe.Teacher.Engine,
                device: recipe.Devices.Teacher(recipe).Device),
            JournalDigest = recipe.Teacher.JournalOf(teacher.Digest, recipe.Devices.TeacherKey(recipe)),
            RateName = "teacherTokensPerSecond",
            Tally = sampling.Tally,
            TimeLimit = recipe.Traces.TimeLimit,
            Detail = sampling.Detail,
            Owned = verifiers,
            Join = (files, isOver) =>
            {
                files.WriteCard(recipe.Teacher.Name);
                return sampling.Finish(context, isOver) ?? $"{count * recipe.Teacher.Samples:N0} traces of {count:N0} problems";
            },
        };
    }

    public string? Continuation(string folder) => TraceWork.Continuation(folder, (int)role.MostProblems);

    private static JsonObject OptionsOf(DistillationRecipe recipe) => StageDeclaration.OptionsOf(
    [
        ("name", recipe.Teacher.Name),
        ("teacher", recipe.Teacher.ToKey(recipe)),
        ("domains", TeacherRole.KeyOf(recipe.Teacher)),
        ("device", recipe.Devices.TeacherKey(recipe)),
        ("prompt", PromptSection.KeyOf(recipe.Prompt.ToTeacherStyle())),
        .. TraceSampling.KeyOf(recipe),
    ]);
}
