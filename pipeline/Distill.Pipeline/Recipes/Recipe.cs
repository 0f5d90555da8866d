namespace Distill.Pipeline.Recipes;

/// <summary>A whole, valid description of one piece of work: immutable, every default filled in. See <see cref="RecipeFile"/>.</summary>
public abstract record Recipe
{
    /// <summary>Name of the run folder unless <c>--name</c> gives another: lower-case letters, digits, <c>-</c>, <c>_</c>, <c>.</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Everything random in the run follows from this number. Default 0.</summary>
    public long Seed { get; init; }

    internal static string ReadName(SectionReader reader)
    {
        string name = reader.Text("name", null);
        reader.Require(name.Length == 0 || RunName.IsValid(name), "name", "not usable as a folder name", RunName.Rule);
        return name;
    }

    internal static long ReadSeed(SectionReader reader) => reader.Long("seed", 0, 0, long.MaxValue);
}
