namespace Distill.Data.Problems.Families.Zebra;

/// <summary>What a clue says of where one thing is, or of where two things are.</summary>
internal enum ClueKind
{
    At,
    NotAt,
    Same,
    NotSame,
    LeftOf,
    JustLeftOf,
    NextTo,
}

/// <summary>
/// A clue about one thing and a house, or about two things. A thing is a person, or the owner of a pet, or the drinker of a drink: all of
/// them live somewhere.
/// </summary>
/// <param name="Second">A thing; for <c>At</c> and <c>NotAt</c> the house, from 0.</param>
/// <param name="IsTurned">Said from the second one's side, where that makes a difference: right of.</param>
internal sealed record Clue(ClueKind Kind, int First, int Second, bool IsTurned)
{
    public bool IsAboutHouse => Kind is ClueKind.At or ClueKind.NotAt;

    public IReadOnlyList<int> Things => IsAboutHouse ? [First] : [First, Second];

    /// <summary>Whether it is true when its things are in these houses.</summary>
    /// <param name="second">Ignored when the clue is about a house.</param>
    public bool Holds(int first, int second) => Kind switch
    {
        ClueKind.At => first == Second,
        ClueKind.NotAt => first != Second,
        ClueKind.Same => first == second,
        ClueKind.NotSame => first != second,
        ClueKind.LeftOf => first < second,
        ClueKind.JustLeftOf => first + 1 == second,
        ClueKind.NextTo => Math.Abs(first - second) == 1,
        _ => throw new InvalidOperationException($"Unknown clue {Kind}."),
    };

    public Relation ToRelation() => Kind switch
    {
        ClueKind.At => new Relation($"at{Second + 1}", true, First),
        ClueKind.NotAt => new Relation($"off{Second + 1}", true, First),
        ClueKind.Same => new Relation("same", true, First, Second),
        ClueKind.NotSame => new Relation("other", true, First, Second),
        ClueKind.LeftOf => new Relation("left", false, First, Second),
        ClueKind.JustLeftOf => new Relation("just", false, First, Second),
        _ => new Relation("next", true, First, Second),
    };
}

/// <param name="Words">By category (people, pets, drinks), then by thing; thing t of category c has the number c · houses + t.</param>
/// <param name="Clues">In the order of the text.</param>
internal sealed record ZebraContent(
    int Houses, IReadOnlyList<IReadOnlyList<string>> Words, IReadOnlyList<Clue> Clues, string Question, Surroundings Surroundings)
{
    public string Word(int thing) => Words[thing / Houses][thing % Houses];
}

/// <summary>
/// All ways of putting the things of each category into different houses, each packed into a number: two bits a thing. Worked out once per
/// size; 13,824 for four houses and three categories.
/// </summary>
internal static class ZebraWorlds
{
    private static readonly Dictionary<(int Houses, int Categories), Lazy<IReadOnlyList<int>>> s_all =
        new[] { (3, 2), (3, 3), (4, 3) }.ToDictionary(
            size => size, size => new Lazy<IReadOnlyList<int>>(() => Make(size.Item1, size.Item2)));

    public static IReadOnlyList<int> All(int houses, int categories) => s_all[(houses, categories)].Value;

    public static int HouseOf(int world, int thing) => (world >> (2 * thing)) & 3;

    public static bool Holds(Clue clue, int world) =>
        clue.Holds(HouseOf(world, clue.First), clue.IsAboutHouse ? 0 : HouseOf(world, clue.Second));

    /// <summary>The worlds in which all clues hold.</summary>
    public static List<int> Fitting(int houses, int categories, IEnumerable<Clue> clues)
    {
        List<int> worlds = [.. All(houses, categories)];
        foreach (var clue in clues)
            worlds.RemoveAll(world => !Holds(clue, world));
        return worlds;
    }

    private static List<int> Make(int houses, int categories)
    {
        List<int> orders = Orders(houses, 0, 0, 0).ToList();
        List<int> worlds = [0];
        for (var category = 0; category < categories; category++)
        {
            var shift = 2 * houses * category;
            worlds = [.. from world in worlds from order in orders select world | (order << shift)];
        }

        return worlds;
    }

    private static IEnumerable<int> Orders(int houses, int thing, int taken, int order)
    {
        if (thing == houses)
            return [order];
        return Enumerable.Range(0, houses).Where(house => ((taken >> house) & 1) == 0)
            .SelectMany(house => Orders(houses, thing + 1, taken | (1 << house), order | (house << (2 * thing))));
    }
}
