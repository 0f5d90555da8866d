using Distill.Data.Publishing.Licences;

namespace Distill.Pipeline.Recipes;

/// <summary>What a recipe brings together, with the licences that are stated of it.</summary>
internal static class RecipeLicences
{
    /// <param name="sources">What the problems came from, as their artefact or the recipe says.</param>
    /// <returns>Sources, teacher, base, in that order; none where nobody says anything of licences, so that cards do not either.</returns>
    public static IReadOnlyList<LicensedPart> Of(DistillationRecipe recipe, IEnumerable<LicensedPart> sources)
    {
        LicensedPart[] parts =
        [
            .. sources,
            .. recipe.Teachers.Count == 0 ? [new LicensedPart("teacher", recipe.TraceOrigin, Stated(recipe.Teacher.Licence))]
                : recipe.TraceWriters.Select(teacher => new LicensedPart("teacher", teacher.Name, Stated(teacher.Licence))),
            new("base", Path.GetFileName(recipe.Student.Base), Stated(recipe.Student.Licence)),
        ];
        var publish = recipe.Publish.ToPolicy();
        bool isAsked = publish.Licence is not null || publish.Allow.Count > 0 || publish.Forbid.Count > 0;
        return isAsked || parts.Any(part => part.Licence is not null) ? parts : [];
    }

    private static string? Stated(string licence) => licence.Length > 0 ? licence : null;
}
