namespace Distill.Data.Problems.Contradiction;

/// <summary>
/// Draws who is above whom. The numbers of people and of statements are the same with and without a cycle, so counting does not give the
/// answer away: p people in p − 1 statements, either one tree, or a cycle (with tails) and one tree beside it.
/// </summary>
internal static class ComparisonGraph
{
    /// <param name="people">At least four.</param>
    /// <param name="largestCycle">The longest cycle wanted; it is cut to what leaves two people outside.</param>
    /// <returns>(greater, smaller) pairs; nobody is the greater one twice.</returns>
    public static IReadOnlyList<(int Greater, int Smaller)> Draw(RandomSource random, int people, bool cyclic, int largestCycle)
    {
        var order = random.Sample(Enumerable.Range(0, people).ToList(), people);
        return cyclic ? Cyclic(random, order, random.Between(2, Math.Min(largestCycle, people - 2))) : Tree(random, order);
    }

    private static List<(int, int)> Tree(RandomSource random, IReadOnlyList<int> people)
    {
        var edges = new List<(int, int)>();
        for (var i = 1; i < people.Count; i++)
        {
            // Mostly below the one before: long chains are the interesting ones.
            edges.Add((people[i], people[random.Chance(65) ? i - 1 : random.Below(i)]));
        }

        return edges;
    }

    private static List<(int, int)> Cyclic(RandomSource random, IReadOnlyList<int> people, int cycle)
    {
        var edges = new List<(int, int)>();
        for (var i = 0; i < cycle; i++)
            edges.Add((people[i], people[(i + 1) % cycle]));
        // people[cycle] is the root of the tree beside the cycle, and the next one makes it a tree.
        edges.Add((people[cycle + 1], people[cycle]));
        for (var i = cycle + 2; i < people.Count; i++)
            edges.Add((people[i], people[random.Below(i)]));
        return edges;
    }

    /// <summary>Whether following the statements from anybody comes back to a person passed before.</summary>
    public static bool HasCycle(IReadOnlyList<Comparison> statements)
    {
        var below = statements.ToDictionary(statement => statement.Greater, statement => statement.Smaller);
        foreach (var start in below.Keys)
        {
            var person = start;
            for (var steps = 0; below.TryGetValue(person, out var next); steps++)
            {
                if (steps > statements.Count)
                    return true;
                person = next;
            }
        }

        return false;
    }
}
