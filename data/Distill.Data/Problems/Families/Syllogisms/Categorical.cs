namespace Distill.Data.Problems.Families.Syllogisms;

internal enum Quantity
{
    All,
    No,
    Some,
    SomeNot,
}

/// <summary>A categorical statement about two groups: all a are b, no a are b, some a are b, some a are not b.</summary>
internal readonly record struct Categorical(Quantity Quantity, int First, int Second)
{
    public bool IsUniversal => Quantity is Quantity.All or Quantity.No;

    public bool IsSymmetric => Quantity is Quantity.No or Quantity.Some;

    public Categorical Contrary => this with { Quantity = 3 - Quantity };

    /// <summary>"no b are a" as "no a are b".</summary>
    public Categorical Normal => IsSymmetric && First > Second ? new Categorical(Quantity, Second, First) : this;

    public Relation ToRelation(string prefix = "") => new(
        prefix + Quantity switch { Quantity.All => "all", Quantity.No => "no", Quantity.Some => "some", _ => "other" },
        IsSymmetric, First, Second);

    /// <summary>Somebody who is in exactly these groups does not offend against it, when it is universal.</summary>
    /// <param name="groups">One bit per group.</param>
    public bool Allows(int groups) => Quantity switch
    {
        Quantity.All => !Has(groups, First) || Has(groups, Second),
        Quantity.No => !Has(groups, First) || !Has(groups, Second),
        _ => true,
    };

    /// <summary>Somebody who is in exactly these groups makes it true, when it is not universal.</summary>
    public bool IsShownBy(int groups) => Has(groups, First) && Has(groups, Second) == (Quantity == Quantity.Some);

    private static bool Has(int groups, int group) => ((groups >> group) & 1) != 0;
}

/// <summary>
/// What follows from categorical statements when every group has members, by going through all kinds of people: a kind is the set of
/// groups that somebody is in. Universal statements forbid kinds; everything else asks for one kind that is not forbidden.
/// </summary>
internal static class Entailment
{
    public static bool AreConsistent(IReadOnlyList<Categorical> statements, int groups)
    {
        int[] allowed = [.. Enumerable.Range(0, 1 << groups).Where(kind => statements.All(statement => statement.Allows(kind)))];
        return Enumerable.Range(0, groups).All(group => allowed.Any(kind => ((kind >> group) & 1) != 0))
            && statements.Where(statement => !statement.IsUniversal).All(statement => allowed.Any(statement.IsShownBy));
    }

    /// <summary>The statements are consistent, and their being true with this one false is not.</summary>
    public static bool Follows(IReadOnlyList<Categorical> statements, Categorical conclusion, int groups) =>
        !AreConsistent([.. statements, conclusion.Contrary], groups);

    /// <summary>
    /// The one statement about two groups that follows and from which all others that follow do; null with
    /// <paramref name="isUnique"/> when none follows.
    /// </summary>
    public static Categorical? Strongest(
        IReadOnlyList<Categorical> statements, int first, int second, int groups, out bool isUnique)
    {
        Categorical[] candidates =
        [
            new(Quantity.All, first, second), new(Quantity.All, second, first), new(Quantity.No, first, second),
            new(Quantity.Some, first, second), new(Quantity.SomeNot, first, second), new(Quantity.SomeNot, second, first),
        ];
        Categorical[] following = [.. candidates.Where(candidate => Follows(statements, candidate, groups))];
        Categorical[] strongest = [.. following.Where(one => following.All(other => other == one || Follows([one], other, groups)))];
        isUnique = following.Length == 0 || strongest.Length == 1;
        return strongest.Length == 1 ? strongest[0] : null;
    }
}
