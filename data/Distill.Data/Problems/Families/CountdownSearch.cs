using System.Globalization;

namespace Distill.Data.Problems.Families;

/// <summary>
/// The search that a trace tells: in the order of the numbers, what a pair gives (sum, difference, product) against what is needed
/// (with the last number set aside), until something given is something needed. A function of the problem alone. With four
/// numbers, first both pairs against each other, then each last number with the search for three inside.
/// </summary>
internal sealed class CountdownSearch
{
    private readonly List<string> items = [];

    private CountdownSearch()
    {
    }

    /// <returns>The steps and the expression found, or <c>impossible</c>.</returns>
    public static (string Steps, string Answer) Run(IReadOnlyList<int> numbers, int target)
    {
        var search = new CountdownSearch();
        var parts = numbers.Select(Combination.Of).ToArray();
        var found = parts.Length switch
        {
            2 => search.Two(parts, target),
            3 => search.Three(parts, [target]),
            _ => search.Four(parts, target),
        };
        var steps = found is null ? search.items : [.. search.items, .. found.Steps];
        return (string.Join(" ; ", steps), found?.Text ?? CountdownFamily.Impossible);
    }

    /// <summary>One combination against a target: <c>need 24 ; 2 + 12 = 14 no</c>.</summary>
    /// <param name="target">Null: what it gives.</param>
    public static string Trial(Combination combination, int? target) =>
        $"need {Text(target ?? combination.Value)} ; {Tried(combination, target ?? combination.Value)}";

    /// <summary>Of two numbers, each combination in turn is worked out and held against the target.</summary>
    private Combination? Two(Combination[] parts, int target)
    {
        items.Add($"need {Text(target)}");
        foreach (var combination in Combination.All(parts[0], parts[1]))
        {
            items.Add(Tried(combination, target));
            if (combination.Value == target)
                return combination with { Steps = [] };
        }

        return null;
    }

    private static string Tried(Combination combination, int target) =>
        $"{combination.Steps[^1]} {(combination.Value == target ? "ok" : "no")}";

    /// <summary>Makes any of <paramref name="targets"/> (null: none there) from three numbers.</summary>
    private Combination? Three(Combination[] parts, IReadOnlyList<int?> targets)
    {
        var tried = new HashSet<int>();
        for (var last = 2; last >= 0; last--)
        {
            // Equal numbers would repeat the same search.
            if (!tried.Add(parts[last].Value))
                continue;
            var pair = Without(parts, last);
            var given = Give(pair[0], pair[1]);
            foreach (var target in targets.OfType<int>().Distinct())
            {
                if (Finish(given, parts[last], target) is { } found)
                    return found;
            }
        }

        return null;
    }

    private Combination? Four(Combination[] parts, int target)
    {
        var paired = new HashSet<int>();
        foreach (var (a, b, c, d) in new[] { (0, 1, 2, 3), (0, 2, 1, 3), (0, 3, 1, 2) })
        {
            // The first number meets an equal partner again: the same two pairs.
            if (!paired.Add(parts[b].Value))
                continue;
            var given = Give(parts[a], parts[b]);
            foreach (var last in Give(parts[c], parts[d]).DistinctBy(value => value.Value))
            {
                if (Finish(given, last, target) is { } found)
                    return found;
            }
        }

        var tried = new HashSet<int>();
        for (var last = 3; last >= 0; last--)
        {
            if (!tried.Add(parts[last].Value))
                continue;
            var needs = Need(target, parts[last].Value);
            if (Three(Without(parts, last), needs) is { } rest)
                return Combination.Complete(rest, parts[last], target, IndexOf(needs, rest.Value));
        }

        return null;
    }

    private Combination? Finish(IReadOnlyList<Combination> given, Combination last, int target)
    {
        var needs = Need(target, last.Value);
        return Match(given, needs) is { } match ? Combination.Complete(match.Found, last, target, match.Need) : null;
    }

    private IReadOnlyList<Combination> Give(Combination a, Combination b)
    {
        var given = Combination.All(a, b);
        items.Add($"{Text(a.Value)} {Text(b.Value)} give {string.Join(' ', given.Select(value => Text(value.Value)))}");
        return given;
    }

    private IReadOnlyList<int?> Need(int target, int last)
    {
        var needs = Combination.Needs(target, last);
        items.Add($"{Text(target)} {Text(last)} need {string.Join(' ', needs.Select(need => need is { } value ? Text(value) : "no"))}");
        return needs;
    }

    private (Combination Found, int Need)? Match(IReadOnlyList<Combination> given, IReadOnlyList<int?> needs)
    {
        for (var need = 0; need < needs.Count; need++)
        {
            if (given.FirstOrDefault(value => value.Value == needs[need]) is not { } found)
                continue;
            items.Add($"match {Text(found.Value)}");
            return (found, need);
        }

        items.Add("none");
        return null;
    }

    private static int IndexOf(IReadOnlyList<int?> needs, int value) => Enumerable.Range(0, needs.Count).First(i => needs[i] == value);

    private static Combination[] Without(Combination[] parts, int index) => [.. parts[..index], .. parts[(index + 1)..]];

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A value made from numbers, and how: <c>( 3 + 5 ) * 2</c> with the steps that compute it.</summary>
internal sealed record Combination(int Value, string Text, IReadOnlyList<string> Steps)
{
    public static Combination Of(int number) => new(number, number.ToString(CultureInfo.InvariantCulture), []);

    /// <summary>Sum, difference and product, in the order in which traces list them; differences are never negative.</summary>
    public static IReadOnlyList<Combination> All(Combination a, Combination b) =>
        [Join(a, '+', b), a.Value >= b.Value ? Join(a, '-', b) : Join(b, '-', a), Join(a, '*', b)];

    /// <summary>
    /// What has to be found so that together with <paramref name="last"/> it makes <paramref name="target"/>: |target − last|,
    /// target + last, and target ÷ last or null when that is not whole.
    /// </summary>
    public static IReadOnlyList<int?> Needs(int target, int last) =>
        [Math.Abs(target - last), target + last, last != 0 && target % last == 0 ? target / last : null];

    /// <summary>Completes a match for the need at <paramref name="need"/> of <see cref="Needs"/>.</summary>
    public static Combination Complete(Combination found, Combination last, int target, int need) => need switch
    {
        0 when target >= last.Value => Join(found, '+', last),
        0 => Join(last, '-', found),
        1 => Join(found, '-', last),
        _ => Join(found, '*', last),
    };

    private static Combination Join(Combination a, char op, Combination b)
    {
        var value = op switch { '+' => a.Value + b.Value, '-' => a.Value - b.Value, _ => a.Value * b.Value };
        var step = string.Create(CultureInfo.InvariantCulture, $"{a.Value} {op} {b.Value} = {value}");
        return new Combination(value, $"{a.Nested} {op} {b.Nested}", [.. a.Steps, .. b.Steps, step]);
    }

    private string Nested => Steps.Count == 0 ? Text : $"( {Text} )";
}

/// <summary>Exhaustive search over all ways to combine numbers with <c>+ - *</c>, each used exactly once.</summary>
internal static class Reachability
{
    /// <summary>
    /// Absolute values of everything reachable. Signs can be left out: whatever reaches −v reaches v with its subtractions turned round.
    /// </summary>
    /// <param name="numbers">At most five: the work grows with 3ⁿ splits.</param>
    public static IReadOnlySet<long> Of(IReadOnlyList<int> numbers)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(numbers.Count, 5);
        // [subset of numbers as bits] → what exactly this subset can make
        var reachable = new HashSet<long>[1 << numbers.Count];
        for (var subset = 1; subset < reachable.Length; subset++)
        {
            var values = reachable[subset] = [];
            if ((subset & (subset - 1)) == 0)
                values.Add(numbers[int.TrailingZeroCount(subset)]);
            for (var left = (subset - 1) & subset; left > 0; left = (left - 1) & subset)
                Combine(reachable[left], reachable[subset ^ left], values);
        }

        return reachable[^1];
    }

    private static void Combine(HashSet<long> left, HashSet<long> right, HashSet<long> values)
    {
        foreach (var a in left)
        {
            foreach (var b in right)
            {
                values.Add(a + b);
                values.Add(Math.Abs(a - b));
                values.Add(a * b);
            }
        }
    }
}
