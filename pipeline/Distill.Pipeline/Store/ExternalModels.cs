using Distill.Pipeline.Graph;
using Distill.Pipeline.Problems;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages.Data.Teachers;
using Distill.Storage;

namespace Distill.Pipeline.Store;

/// <summary>
/// Where the models lie that recipes of runs bring along: artefacts know them by digest alone. Looks at the recipes of a folder of runs,
/// and at those models, until it has found what it is asked for. One thread.
/// </summary>
/// <param name="only">The one run whose recipe is looked at; null for all of the folder.</param>
internal sealed class ExternalModels(string runsFolder, DigestMemory digests, string? only = null)
{
    private readonly Dictionary<(string Role, string Digest), string> places = [];
    private Queue<RunFolder>? unread;

    /// <param name="role">As stages name their inputs, e.g. <see cref="ExternalInputs.Teacher"/>.</param>
    /// <returns>A folder, or the model of an endpoint; null where no recipe at hand names it.</returns>
    public string? Find(string role, string digest)
    {
        unread ??= new Queue<RunFolder>(only is null ? RunCatalogue.Folders(runsFolder) : [new RunFolder(runsFolder, only)]);
        while (!places.ContainsKey((role, digest)) && unread.TryDequeue(out var run))
        {
            foreach (var (found, model) in Models(run, digests)) places.TryAdd((found, model.Digest), model.Place);
        }

        return places.GetValueOrDefault((role, digest));
    }

    // A recipe whose models were moved away names no place any more.
    private static IEnumerable<(string Role, (string Digest, string Place) Model)> Models(RunFolder run, DigestMemory digests)
    {
        try
        {
            var recipe = RecipeFile.Load(run.RecipePath);
            // Data sets of the Hub would be pulled for nothing but their name.
            bool isAtTheHub = recipe is DistillationRecipe distillation
                && distillation.Problems.AllSources.Any(source => source.Hub is not null);
            string? except = isAtTheHub ? ExternalInputs.ProblemFiles : null;
            return [.. ExternalInputs.Of(recipe, StageGraph.For(recipe).Stages, digests, except)
                .Select(input => (input.Key, (input.Value.Digest, PlaceOf(recipe, input.Key, input.Value))))];
        }
        catch (Exception fault) when (fault is InvalidRecipeException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static string PlaceOf(Recipe recipe, string role, StageInput input) =>
        role == ExternalInputs.ProblemFiles
            ? string.Join(", ", RecipeProblems.Of(((DistillationRecipe)recipe).Problems).Sources.Select(source => source.Place))
            : ExternalInputs.OriginOf(recipe, role) is { } origin ? origin
            : input.Folder.Length > 0 ? Path.GetFullPath(input.Folder)
            : $"{TeacherRole.Find((DistillationRecipe)recipe, role)!.Teacher.Model} behind an endpoint";
}
