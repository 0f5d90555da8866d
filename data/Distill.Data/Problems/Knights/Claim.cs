namespace Distill.Data.Problems.Knights;

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

    private static bool IsKnight(int knights, int person) => ((knights >> person) & 1) != 0;
}
