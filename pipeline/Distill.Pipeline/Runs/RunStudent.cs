using Distill.Architecture;
using Distill.Data.Publishing.Licences;
using Distill.Export.Package;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Problems;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Stages;
using Distill.Pipeline.Stages.Data;
using Distill.Pipeline.Stages.Training;
using Distill.Tokenization;

namespace Distill.Pipeline.Runs;

/// <summary>The student that a run made, found by the run's folder or that of a training within it.</summary>
/// <param name="Folder">Of its checkpoint.</param>
/// <param name="Prompt">How it was spoken to in training.</param>
/// <param name="Run">Name of the run.</param>
/// <param name="Recipe">Of the run.</param>
/// <param name="Sources">File with the licences of its problems' sources; there only where problems came from anywhere.</param>
internal sealed record RunStudent(string Folder, PromptStyle Prompt, string Run, DistillationRecipe Recipe, string Sources)
{
    /// <summary>Folder of the model that it was trained from; null where it is not on this machine any more.</summary>
    public string? Base => Directory.Exists(Recipe.Student.Base) ? Recipe.Student.Base : null;

    /// <summary>As the run's own model is described, under the run's name.</summary>
    /// <exception cref="InvalidDataException">The file of sources cannot be read.</exception>
    public PackageDescription Describe() => RecipeDescription.Of(
        Recipe, Recipe.Problems.HasSources && File.Exists(Sources) ? SourceLicences.Read(Sources) : []) with { Name = Run };

    /// <returns>Null for a folder that is neither a run nor a training's.</returns>
    /// <exception cref="RunRefusedException">The run has not made its student yet.</exception>
    /// <exception cref="InvalidRecipeException">The run's recipe cannot be read any more.</exception>
    public static RunStudent? Find(string path)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (!Directory.Exists(full) || File.Exists(Path.Combine(full, DecoderConfigJson.FileName))) return null;
        if (RunAt(full) is { } run) return Last(run);
        string checkpoint = Path.Combine(full, TrainedStudent.CheckpointFolder);
        return File.Exists(Path.Combine(checkpoint, DecoderConfigJson.FileName)) && RunAt(Path.GetDirectoryName(full)) is { } around
            ? Of(around, RecipeOf(around), checkpoint) : null;
    }

    private static RunStudent Last(RunFolder run)
    {
        var recipe = RecipeOf(run);
        var graph = StageGraph.For(recipe);
        var stage = graph.Students.FirstOrDefault(declaration => declaration.Name == graph.Student);
        string folder = stage is null ? recipe.Student.Base : Path.Combine(run.Inside(stage.Folder), TrainedStudent.CheckpointFolder);
        return Directory.Exists(folder) ? Of(run, recipe, folder) : throw new RunRefusedException(
            $"The run '{run.Name}' has not made its student '{graph.Student}' yet. Go on with it: distill resume {run.Name}");
    }

    private static RunStudent Of(RunFolder run, DistillationRecipe recipe, string folder)
    {
        var problems = StageGraph.For(recipe).Stages.Select(stage => stage.Declaration)
            .FirstOrDefault(declaration => declaration.Name == ProblemsStage.Train);
        return new(folder, recipe.Prompt.ToStudentStyle(), run.Name, recipe,
            Path.Combine(run.Inside(problems?.Folder ?? ProblemsStage.Train), ProblemArtifact.SourcesName));
    }

    private static RunFolder? RunAt(string? path) =>
        path is not null && Path.GetDirectoryName(path) is { } runs && new RunFolder(runs, Path.GetFileName(path)) is var run
        && RunCatalogue.IsRun(run) ? run : null;

    private static DistillationRecipe RecipeOf(RunFolder run) => (DistillationRecipe)RecipeFile.Load(run.RecipePath, null);
}
