using Distill.Architecture;
using Distill.Data.Publishing.Licences;
using Distill.Data.Sources;
using Distill.Export.Package;
using Distill.Pipeline.Models;
using Distill.Pipeline.Recipes;

namespace Distill.Pipeline.Stages;

/// <summary>What a recipe says of the model that it makes: the same on every card of that model.</summary>
internal static class RecipeDescription
{
    /// <param name="sources">What the problems came from.</param>
    public static PackageDescription Of(DistillationRecipe recipe, IReadOnlyList<LicensedPart> sources)
    {
        var description = new PackageDescription
        {
            Name = recipe.Name,
            Teacher = recipe.TraceOrigin,
            Prompt = recipe.Prompt.ToStudentStyle(),
            BaseModel = ModelName.RepositoryOf(recipe.Student.Base) ?? ModelName.Of(recipe.Student.Base),
        };
        var parts = RecipeLicences.Of(recipe, sources);
        var policy = recipe.Publish.ToPolicy();
        return parts.Count == 0 ? description with { License = LicenceOf(recipe.Student.Base) ?? description.License }
            : description with { License = policy.LicenceOf(parts), Licensed = parts, Conflicts = policy.Conflicts(parts) };
    }

    // Where neither card nor text says anything, nobody but the recipe can.
    private static string? LicenceOf(string folder) =>
        Directory.Exists(folder) ? DataSetFolder.LicenceOf(folder) ?? CompanionFiles.Read(folder).Licence : null;
}
