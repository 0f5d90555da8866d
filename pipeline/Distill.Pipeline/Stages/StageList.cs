using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;

namespace Distill.Pipeline.Stages;

/// <summary>The stages of a recipe, in order; what it switches off is left out.</summary>
internal static class StageList
{
    /// <summary>The stage whose student is exported: the last that trains one.</summary>
    public static string StudentOf(DistillationRecipe recipe) =>
        recipe.Rl.Steps > 0 ? StageNames.Rl : recipe.Preference is null ? StageNames.Sft : StageNames.Preference;

    public static IReadOnlyList<IStage> For(DistillationRecipe recipe)
    {
        bool reinforced = recipe.Rl.Steps > 0;
        string student = StudentOf(recipe);
        List<IStage> stages = [new ProblemsStage(recipe), recipe.Teacher.Remote is { } remote ? new RemoteTracesStage(recipe, remote) : new TracesStage(recipe), new CurationStage(recipe)];
        if (recipe.AnswerOnly.Enabled) stages.Add(SupervisedStage.AnswersOnly(recipe));
        stages.Add(SupervisedStage.Steps(recipe));
        if (recipe.Preference is { } preference) stages.AddRange([new SamplesStage(recipe, preference), new PreferenceStage(recipe, preference)]);
        if (reinforced) stages.Add(new ReinforcementStage(recipe));
        stages.Add(new ExportStage(recipe, student));
        stages.Add(new ParityStage(recipe, student));
        // A remote teacher is not evaluated: nobody expects a report to send a bill. Its traces are graded like any other's.
        if (recipe.Teacher.Remote is null) stages.Add(EvaluationStage.OfModelFolder(recipe, "teacher", ExternalInputs.Teacher));
        stages.Add(EvaluationStage.OfCheckpoint(recipe, "base", ExternalInputs.Base));
        if (recipe.AnswerOnly.Enabled) stages.Add(EvaluationStage.OfCheckpoint(recipe, "answer-only", StageNames.AnswerOnly));
        stages.Add(EvaluationStage.OfCheckpoint(recipe, "sft", StageNames.Sft));
        if (recipe.Preference is not null) stages.Add(EvaluationStage.OfCheckpoint(recipe, "preference", StageNames.Preference));
        if (reinforced) stages.Add(EvaluationStage.OfCheckpoint(recipe, "rl", StageNames.Rl));
        stages.Add(EvaluationStage.OfModelFolder(recipe, "onnx", StageNames.Onnx));
        return stages;
    }
}
