using System.Globalization;

namespace Distill.Data.Problems.Families;

/// <summary>One statement: what it says, and of which things.</summary>
/// <param name="IsSymmetric">Whether the order of the things does not matter.</param>
internal sealed record Relation(string Says, bool IsSymmetric, params IReadOnlyList<int> Things)
{
    /// <summary>Equal for statements that say the same of the same things.</summary>
    public string Text => $"{Says} {string.Join(' ', IsSymmetric ? Things.Order() : Things.AsEnumerable())}";
}

/// <summary>
/// A text that is equal for two lists of statements exactly when one becomes the other by renaming things of the same kind and by putting
/// the statements into another order: what a signature needs, so that one question asked about other people counts as one. Colours are
/// refined until they say nothing more, then things that still look alike are told apart one by one and the smallest text wins (as in
/// McKay's nauty, 1981). Made for a dozen things.
/// </summary>
internal sealed class CanonicalForm
{
    private readonly IReadOnlyList<Relation> statements;
    private readonly IReadOnlyList<int>[] of;
    private readonly HashSet<string> spelled;

    private CanonicalForm(int things, IReadOnlyList<Relation> statements)
    {
        this.statements = statements;
        of = [.. Enumerable.Range(0, things).Select(thing =>
            (IReadOnlyList<int>)[.. Enumerable.Range(0, statements.Count).Where(i => statements[i].Things.Contains(thing))])];
        int[] themselves = [.. Enumerable.Range(0, things)];
        spelled = [.. statements.Select(statement => Spell(statement, themselves))];
    }

    /// <param name="kinds">By thing: things of different kinds are never exchanged.</param>
    public static string Of(IReadOnlyList<string> kinds, IReadOnlyList<Relation> statements) =>
        new CanonicalForm(kinds.Count, statements).Smallest(Ranks(kinds));

    private string Smallest(int[] colours)
    {
        colours = Refined(colours);
        // The first class of things that look alike.
        var alike = Enumerable.Range(0, colours.Length).GroupBy(thing => colours[thing]).Where(group => group.Count() > 1)
            .MinBy(group => group.Key)?.ToArray();
        if (alike is null)
            return string.Join(' ', statements.Select(statement => Spell(statement, colours)).Order(StringComparer.Ordinal));
        string? smallest = null;
        foreach (var thing in alike)
        {
            // What can be exchanged with the first one gives the same text.
            if (thing != alike[0] && AreExchangeable(alike[0], thing))
                continue;
            int[] told = [.. colours.Select(colour => 2 * colour)];
            told[thing]--;
            var text = Smallest(told);
            if (smallest is null || string.CompareOrdinal(text, smallest) < 0)
                smallest = text;
        }

        return smallest!;
    }

    private int[] Refined(int[] colours)
    {
        for (var classes = 0; colours.Distinct().Count() is var now && now > classes; classes = now)
        {
            var before = colours;
            colours = Ranks([.. Enumerable.Range(0, before.Length).Select(thing => Look(thing, before))]);
        }

        return colours;
    }

    /// <summary>What tells a thing from others: its colour, then what is said of it and of the colours of the others.</summary>
    private string Look(int thing, int[] colours)
    {
        var sayings = of[thing].Select(i => statements[i]).Select(statement =>
        {
            var places = statement.Things.Select(other => other == thing ? "*" : Two(colours[other]));
            return $"{statement.Says}({string.Join(',', statement.IsSymmetric ? places.Order(StringComparer.Ordinal) : places)})";
        });
        return $"{Two(colours[thing])} {string.Join(' ', sayings.Order(StringComparer.Ordinal))}";
    }

    private bool AreExchangeable(int first, int second)
    {
        int[] names = [.. Enumerable.Range(0, of.Length)];
        (names[first], names[second]) = (second, first);
        return of[first].Concat(of[second]).All(i => spelled.Contains(Spell(statements[i], names)));
    }

    private static string Spell(Relation statement, int[] names)
    {
        var letters = statement.Things.Select(thing => (char)('a' + names[thing]));
        return $"{statement.Says}.{string.Concat(statement.IsSymmetric ? letters.Order() : letters)}";
    }

    private static int[] Ranks(IReadOnlyList<string> looks)
    {
        var order = looks.Distinct().Order(StringComparer.Ordinal).ToList();
        return [.. looks.Select(look => order.IndexOf(look))];
    }

    private static string Two(int colour) => colour.ToString("D2", CultureInfo.InvariantCulture);
}
