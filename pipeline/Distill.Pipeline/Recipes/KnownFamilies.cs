namespace Distill.Pipeline.Recipes;

/// <summary>The families a recipe may name and their highest levels.</summary>
internal static class KnownFamilies
{
    public static IReadOnlyDictionary<string, int> Levels { get; } = new Dictionary<string, int>
    {
        ["arithmetic"] = 3,
        ["words"] = 3,
        ["countdown"] = 3,
        ["knights"] = 3,
        ["contradiction"] = 3,
    };
}
