namespace Distill.Data.Problems.Families;

/// <summary>What a statement says about one person or about two.</summary>
internal enum ClaimKind
{
    Knight,
    Knave,
    BothKnights,
    BothKnaves,
    Same,
    Different,
}

/// <summary>Person <paramref name="Speaker"/> says something about <paramref name="First"/> (and <paramref name="Second"/>).</summary>
internal sealed record Claim(int Speaker, ClaimKind Kind, int First, int Second)
{
    public bool IsAboutTwo => Kind is not (ClaimKind.Knight or ClaimKind.Knave);

    public IEnumerable<int> People => IsAboutTwo ? [Speaker, First, Second] : [Speaker, First];

    /// <summary>A claim that can be made in this world: true from a knight, false from a knave.</summary>
    /// <param name="knights">One bit per person, set for knights.</param>
    public bool IsPossible(int knights) => IsTrue(knights) == IsKnight(knights, Speaker);

    private bool IsTrue(int knights)
    {
        var (first, second) = (IsKnight(knights, First), IsKnight(knights, Second));
        return Kind switch
        {
            ClaimKind.Knight => first,
            ClaimKind.Knave => !first,
            ClaimKind.BothKnights => first && second,
            ClaimKind.BothKnaves => !first && !second,
            ClaimKind.Same => first == second,
            ClaimKind.Different => first != second,
            _ => throw new InvalidOperationException($"Unknown claim {Kind}."),
        };
    }

    public static string Word(int knights, int person) => IsKnight(knights, person) ? "knight" : "knave";

    private static bool IsKnight(int knights, int person) => ((knights >> person) & 1) != 0;
}

/// <summary>
/// The trace: suppose the first person a knight and go through the statements once, each telling what follows (<c>so ben knave</c>), that
/// it holds (<c>so ok</c>) or that it cannot be (<c>so no</c>, the end of the case); then suppose a knave.
/// </summary>
internal sealed class CaseTrace
{
    private readonly KnightsContent content;
    private readonly List<string> items = [];
    private int knownPeople;
    private int knights;

    private CaseTrace(KnightsContent content) => this.content = content;

    /// <returns>The steps, or null when one pass over the statements does not decide everything.</returns>
    public static string? Write(KnightsContent content)
    {
        var trace = new CaseTrace(content);
        return trace.Suppose(knight: true) is not { } consistent || (!consistent && trace.Suppose(knight: false) is null)
            ? null
            : string.Join(" ; ", trace.items);
    }

    /// <summary>What the only statement tells where some people are known.</summary>
    /// <param name="known">One bit per person, set for those that are known.</param>
    /// <param name="knights">What they are; bits of others are left out.</param>
    /// <returns>The step; null when it cannot be said person by person.</returns>
    public static string? Step(KnightsContent content, int known, int knights)
    {
        var trace = new CaseTrace(content) { knownPeople = known, knights = knights & known };
        return trace.Tell(content.Claims[0]) is null ? null : trace.items[0];
    }

    /// <returns>Whether the case is consistent; null when undecided.</returns>
    private bool? Suppose(bool knight)
    {
        knownPeople = 1;
        knights = knight ? 1 : 0;
        items.Add($"if {Kind(0)}");
        foreach (var claim in content.Claims)
        {
            if (Tell(claim) is not { } result)
                return null;
            if (result == "no")
                return false;
        }

        return knownPeople == (1 << content.Names.Count) - 1 ? true : null;
    }

    /// <inheritdoc cref="Apply"/>
    private string? Tell(Claim claim)
    {
        var opening = $"{Speaker(claim)} says {ClaimText(claim)} so ";
        var result = Apply(claim);
        items.Add(opening + result);
        return result;
    }

    /// <returns>What one statement tells, given what is known; null when that cannot be said person by person.</returns>
    private string? Apply(Claim claim)
    {
        var involved = claim.People.Aggregate(0, (mask, person) => mask | (1 << person));
        var open = involved & ~knownPeople;
        var worlds = new List<int>();
        // All subsets of the open people as knights, the known ones as they are.
        for (var subset = open; ; subset = (subset - 1) & open)
        {
            if (claim.IsPossible(knights | subset))
                worlds.Add(subset);
            if (subset == 0)
                break;
        }

        if (worlds.Count == 0)
            return "no";
        var alwaysKnights = worlds.Aggregate(open, (mask, world) => mask & world);
        var neverKnights = worlds.Aggregate(open, (mask, world) => mask & ~world);
        var settled = alwaysKnights | neverKnights;
        // Whoever stays open must be entirely free, or the trace would lose what the statement says about them.
        if (worlds.Count != 1 << int.PopCount(open & ~settled))
            return null;
        knownPeople |= settled;
        knights |= alwaysKnights;
        return settled == 0 ? "ok" : string.Join(" , ", People(settled).Select(Kind));
    }

    private IEnumerable<int> People(int mask) => Enumerable.Range(0, content.Names.Count).Where(person => ((mask >> person) & 1) != 0);

    private string Speaker(Claim claim) => ((knownPeople >> claim.Speaker) & 1) != 0 ? Kind(claim.Speaker) : content.Names[claim.Speaker];

    private string Kind(int person) => $"{content.Names[person]} {Claim.Word(knights, person)}";

    private string ClaimText(Claim claim)
    {
        var (first, second) = (content.Names[claim.First], content.Names[claim.Second]);
        return claim.Kind switch
        {
            ClaimKind.Knight => $"{first} knight",
            ClaimKind.Knave => $"{first} knave",
            ClaimKind.BothKnights => $"{first} and {second} knights",
            ClaimKind.BothKnaves => $"{first} and {second} knaves",
            ClaimKind.Same => $"{first} and {second} same",
            _ => $"{first} and {second} different",
        };
    }
}
