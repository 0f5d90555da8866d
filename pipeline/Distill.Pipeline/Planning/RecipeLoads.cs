using System.Text.Json;
using Distill.Export;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Binding;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Stages.Data;
using Distill.Pipeline.Stages.Data.Teachers;
using Distill.Student.Fused;

namespace Distill.Pipeline.Planning;

/// <summary>What a recipe asks of its teacher, in numbers.</summary>
internal static class TraceLoad
{
    /// <summary>The whole set of traces; where a preflight is finished, by what its sample showed.</summary>
    public static StageLoad Of(TeacherRole role, Foresight earlier, WorkKind kind)
    {
        var recipe = role.Recipe;
        long problems = role.Domains.Count > 0 ? role.MostProblems : earlier.Rows(ProblemsStage.Train) ?? recipe.Problems.Train;
        long rows = problems * recipe.Teacher.Samples;
        var load = new StageLoad(kind, rows)
        {
            Model = role.Model, MaxTokens = recipe.Teacher.MaxTokens, Budget = recipe.Traces.MaxTokensTotal,
        };
        if (earlier.Find(PreflightStage.StageName) is not { } made) return load;
        var sample = JsonSerializer.Deserialize<PreflightReport>(
            File.ReadAllBytes(made.PathOf(PreflightStage.ReportName)), CanonicalJson.Spelling)!;
        return load with
        {
            SampledTokens = sample.CompletionTokens, LikelyPrompt = sample.PromptTokens,
            SampledRows = recipe.Traces.IsPlain ? rows : (sample.RunCompletions.Low + sample.RunCompletions.High) / 2,
        };
    }

    /// <summary>What decides the speed of a teacher that runs here.</summary>
    public static string SettingOf(DistillationRecipe recipe) =>
        $"{recipe.Teacher.Slots} slots, {OptionDeclaration.Spell(recipe.Teacher.Engine)}";
}

/// <summary>What a training writes, and what decides its speed.</summary>
internal static class TrainingLoad
{
    /// <summary>Of a parameter in a checkpoint.</summary>
    public const double CheckpointBytes = sizeof(float);

    /// <summary>Of a parameter in the state beside it: weights and both moments, twice while a new state replaces the old one.</summary>
    public const double StateBytes = 2 * 3 * sizeof(float);

    // What is the default is not named: measured speeds of earlier runs go on to count.
    public static string SettingOf(MatmulPrecision precision, int threads, OptimizerKind optimizer = OptimizerKind.AdamW) =>
        $"{OptionDeclaration.Spell(precision)}, {threads} threads"
        + (optimizer == OptimizerKind.AdamW ? "" : $", {OptionDeclaration.Spell(optimizer)}");
}

/// <summary>What an export writes.</summary>
internal static class ExportLoad
{
    /// <summary>Large matrices have scales beside their blocks; embeddings stay as they are.</summary>
    public static double BytesPerParameter(this ExportPrecision precision) => precision switch
    {
        ExportPrecision.Single => 4,
        ExportPrecision.Half or ExportPrecision.BFloat16 => 2,
        ExportPrecision.Int8 => 1.5,
        _ => 1,
    };
}
