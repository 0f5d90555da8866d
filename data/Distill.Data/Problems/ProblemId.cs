using System.Globalization;

namespace Distill.Data.Problems;

/// <summary>
/// Where a generated problem comes from, e.g. <c>arithmetic/2/test/7/000041</c> (family, level, split, seed, index) or
/// <c>arithmetic/2/test/7/000041~renamed</c> for a twin. Enough to generate it again.
/// </summary>
public sealed record ProblemId(string Family, int Level, Split Split, ulong Seed, long Index, TwinKind? Twin = null)
{
    public override string ToString()
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"{Family}/{Level}/{SplitRule.Word(Split)}/{Seed}/{Index:D6}");
        return Twin is { } kind ? $"{id}~{Word(kind)}" : id;
    }

    /// <returns>Null when <paramref name="id"/> is not an id of a generated problem.</returns>
    public static ProblemId? TryParse(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        if (id.Length > 200)
            return null;
        TwinKind? twin = null;
        var mark = id.IndexOf('~', StringComparison.Ordinal);
        if (mark >= 0)
        {
            twin = ParseTwin(id[(mark + 1)..]);
            if (twin is null)
                return null;
            id = id[..mark];
        }

        var parts = id.Split('/');
        var readable = parts.Length == 5
            & int.TryParse(parts.ElementAtOrDefault(1), NumberStyles.None, CultureInfo.InvariantCulture, out var level)
            & SplitRule.TryParse(parts.ElementAtOrDefault(2), out var split)
            & ulong.TryParse(parts.ElementAtOrDefault(3), NumberStyles.None, CultureInfo.InvariantCulture, out var seed)
            & long.TryParse(parts.ElementAtOrDefault(4), NumberStyles.None, CultureInfo.InvariantCulture, out var index);
        return readable ? new ProblemId(parts[0], level, split, seed, index, twin) : null;
    }

    public static string Word(TwinKind kind) => kind switch
    {
        TwinKind.Renamed => "renamed",
        TwinKind.Irrelevant => "irrelevant",
        TwinKind.Unsatisfiable => "unsatisfiable",
        TwinKind.Recomputed => "recomputed",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Unknown kind of twin."),
    };

    /// <summary>Takes the id of a twin apart, whatever its original's id looks like; null when it is not the id of a twin.</summary>
    internal static (string Original, TwinKind Kind)? TryParseTwin(string id)
    {
        var mark = id.LastIndexOf('~');
        return mark > 0 && ParseTwin(id[(mark + 1)..]) is { } kind ? (id[..mark], kind) : null;
    }

    /// <summary>The id of the twin of a problem with any id.</summary>
    internal static string OfTwin(string original, TwinKind kind) => $"{original}~{Word(kind)}";

    private static TwinKind? ParseTwin(string word)
    {
        foreach (var kind in Enum.GetValues<TwinKind>())
        {
            if (Word(kind) == word)
                return kind;
        }

        return null;
    }
}
