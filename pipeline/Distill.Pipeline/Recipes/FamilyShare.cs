namespace Distill.Pipeline.Recipes;

/// <summary>One entry of <c>families</c>: a problem family at one level, and its share of the problems.</summary>
public sealed record FamilyShare
{
    /// <summary>A registered family, e.g. <c>arithmetic</c>. Required.</summary>
    public required string Name { get; init; }

    /// <summary>Difficulty, from 1 to the family's highest. Default 1.</summary>
    public int Level { get; init; }

    /// <summary>Share relative to the other entries. (0, 1000], default 1.</summary>
    public double Weight { get; init; }

    internal static IReadOnlyList<FamilyShare> BindAll(SectionReader parent)
    {
        var shares = parent.List("families", 64).Select(Bind).ToList();
        parent.Require(shares.Count > 0, "families", "no problem family is chosen", $"list at least one of {string.Join(", ", KnownFamilies.Levels.Keys)}");
        parent.Require(
            shares.Select(share => (share.Name, share.Level)).Distinct().Count() == shares.Count,
            "families", "the same family and level is listed twice", "keep one of them and raise its weight");
        return shares;
    }

    private static FamilyShare Bind(SectionReader reader)
    {
        string name = reader.Word("name", [.. KnownFamilies.Levels.Keys]);
        var share = new FamilyShare
        {
            Name = name,
            Level = reader.Integer("level", 1, 1, KnownFamilies.Levels.GetValueOrDefault(name, int.MaxValue)),
            Weight = reader.Number("weight", 1, 0, 1000, above: true),
        };
        reader.Close();
        return share;
    }
}
