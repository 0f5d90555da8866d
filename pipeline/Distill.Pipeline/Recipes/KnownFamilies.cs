using Distill.Data.Problems;

namespace Distill.Pipeline.Recipes;

/// <summary>The families a recipe may name and their highest levels.</summary>
internal static class KnownFamilies
{
    public static IReadOnlyDictionary<string, int> Levels { get; } = ProblemFamilies.All.ToDictionary(family => family.Name, family => family.MaxLevel);
}
