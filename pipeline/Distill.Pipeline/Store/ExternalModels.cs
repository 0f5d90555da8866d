using Distill.Data.Storage;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Problems;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;

namespace Distill.Pipeline.Store;

/// <summary>
/// Where the models lie that recipes of runs bring along: artefacts know them by digest alone. Looks at the recipes of a folder of runs,
/// and at those models, when it is asked for the first time.
/// </summary>
internal sealed class ExternalModels
{
    private readonly Lazy<Dictionary<(string Role, string Digest), string>> places;

    public ExternalModels(string runsFolder, DigestMemory digests) => places = new(() => Read(runsFolder, digests));

    /// <param name="role">As stages name their inputs, e.g. <see cref="ExternalInputs.Teacher"/>.</param>
    /// <returns>A folder, or the model of an endpoint; null where no recipe at hand names it.</returns>
    public string? Find(string role, string digest) => places.Value.GetValueOrDefault((role, digest));

    private static Dictionary<(string Role, string Digest), string> Read(string runsFolder, DigestMemory digests)
    {
        var found = new Dictionary<(string, string), string>();
        foreach (var run in RunCatalogue.Folders(runsFolder))
        {
            foreach (var (role, model) in Models(run, digests)) found.TryAdd((role, model.Digest), model.Place);
        }

        return found;
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
            : input.Folder.Length > 0 ? Path.GetFullPath(input.Folder) : $"{((DistillationRecipe)recipe).Teacher.Model} behind an endpoint";
}
