using Distill.Data.Verification;
using Distill.Verification;

namespace Distill.Data.Problems.Families;

/// <summary>
/// Do comparisons such as <c>anna is older than ben .</c> contradict each other? Half of them do, by a cycle of up to 3, 4 or 5 people
/// (levels 1 to 3) among further statements; from level 2 on some are said the other way round. The unsatisfiable twin
/// changes one statement so that the answer turns.
/// </summary>
internal sealed class ContradictionFamily : ProblemFamily<ContradictionContent>
{
    private const string Question = "do these statements contradict each other ?";

    private static readonly (string Above, string Below)[] Relations = [("older", "younger"), ("taller", "shorter")];

    public override string Name => "contradiction";

    public override string Domain => "logic";

    public override IVerifier Verifier { get; } = new YesNoVerifier();

    protected override IReadOnlyList<int> Ample { get; } = [20, 2_000, 6_000];

    protected override ContradictionContent? Draw(RandomSource random, int level)
    {
        var people = random.Between(level + 3, level + 5);
        var statements = ComparisonGraph.Draw(random, people, cyclic: random.Chance(50), largestCycle: level + 2)
            .Select(edge => new Comparison(edge.Greater, edge.Smaller, level > 1 && random.Chance(35))).ToList();
        random.Shuffle(statements);
        var (above, below) = random.Pick(Relations);
        var names = random.Sample(Vocabulary.Names, people);
        return new ContradictionContent(statements, names, above, below, Surroundings.Draw(random, names));
    }

    protected override ContradictionContent? Perturb(ContradictionContent original, TwinKind kind, RandomSource random) => kind switch
    {
        TwinKind.Renamed => original with { Names = random.Sample(Vocabulary.Names, original.Names.Count) },
        TwinKind.Irrelevant => original with { Surroundings = original.Surroundings.WithClause(random, original.Names) },
        TwinKind.Unsatisfiable => Turned(original, random),
        _ => null,
    };

    /// <summary>Which way round something is said counts: reading it is half of the problem.</summary>
    protected override string Signature(ContradictionContent content) => "contradiction:" + CanonicalForm.Of(
        [.. content.Names.Select(_ => "person")],
        [.. content.Statements.Select(pair =>
            new Relation(pair.Inverse ? "below" : "above", IsSymmetric: false, pair.Greater, pair.Smaller))]);

    protected override Wording Word(ContradictionContent content)
    {
        var sentences = content.Statements.Select(statement => Sentence(content, statement));
        return new Wording(
            content.Surroundings.Around($"{string.Join(' ', sentences)} {Question}"),
            ChainTrace.Write(content),
            ComparisonGraph.HasCycle(content.Statements) ? "yes" : "no");
    }

    /// <summary>A statement as a link, or links and the chain from the first of them.</summary>
    protected override string DrawFact(RandomSource random)
    {
        var (above, below) = random.Pick(Relations);
        if (random.Chance(50))
        {
            var one = new ContradictionContent(
                [new Comparison(0, 1, random.Chance(50))], random.Sample(Vocabulary.Names, 2), above, below, Surroundings.None);
            return $"{Sentence(one, one.Statements[0])} {one.Names[0]} > {one.Names[1]}";
        }

        var people = random.Between(4, 6);
        var links = ComparisonGraph.Draw(random, people, cyclic: random.Chance(50), largestCycle: 4)
            .Select(edge => new Comparison(edge.Greater, edge.Smaller, Inverse: false)).ToList();
        random.Shuffle(links);
        var content = new ContradictionContent(links, random.Sample(Vocabulary.Names, people), above, below, Surroundings.None);
        return string.Join(" ; ", ChainTrace.Write(content).Split(" ; ").Take(links.Count + 1));
    }

    private static string Sentence(ContradictionContent content, Comparison comparison)
    {
        var (greater, smaller) = (content.Names[comparison.Greater], content.Names[comparison.Smaller]);
        return comparison.Inverse ? $"{smaller} is {content.Below} than {greater} ." : $"{greater} is {content.Above} than {smaller} .";
    }

    /// <summary>
    /// One statement redirected, or replaced when redirecting cannot do it, so that the answer turns; everybody stays in the text.
    /// </summary>
    private static ContradictionContent? Turned(ContradictionContent original, RandomSource random)
    {
        var people = original.Names.Count;
        var at = random.Below(original.Statements.Count);
        var old = original.Statements[at];
        var changed = random.Chance(50)
            ? old with { Smaller = random.Below(people) }
            : old with { Greater = random.Below(people), Smaller = random.Below(people) };
        var statements = original.Statements.ToArray();
        statements[at] = changed;
        var valid = changed.Greater != changed.Smaller
            && statements.Select(statement => statement.Greater).Distinct().Count() == statements.Length
            && statements.SelectMany(statement => new[] { statement.Greater, statement.Smaller }).Distinct().Count() == people;
        return valid && ComparisonGraph.HasCycle(statements) != ComparisonGraph.HasCycle(original.Statements)
            ? original with { Statements = statements }
            : null;
    }
}

/// <summary>
/// Person <paramref name="Greater"/> is above person <paramref name="Smaller"/>; said the other way round when <paramref name="Inverse"/>.
/// </summary>
internal sealed record Comparison(int Greater, int Smaller, bool Inverse);

/// <param name="Statements">In the order of the text; nobody is the greater one twice.</param>
/// <param name="Names">By person.</param>
/// <param name="Above">E.g. <c>older</c>.</param>
/// <param name="Below">Its inverse, e.g. <c>younger</c>.</param>
internal sealed record ContradictionContent(
    IReadOnlyList<Comparison> Statements, IReadOnlyList<string> Names, string Above, string Below, Surroundings Surroundings);

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

/// <summary>
/// The trace: every statement as a link, then the chain from each left-hand person in turn until it ends, or meets a person of the same
/// chain <c>again</c>, which is the contradiction. People whose chain is known to end are <c>ok</c>.
/// </summary>
internal static class ChainTrace
{
    public static string Write(ContradictionContent content)
    {
        var names = content.Names;
        var items = content.Statements.Select(statement => $"{names[statement.Greater]} > {names[statement.Smaller]}").ToList();
        var below = content.Statements.ToDictionary(statement => statement.Greater, statement => statement.Smaller);
        var known = new HashSet<int>();
        foreach (var statement in content.Statements)
        {
            var chain = Follow(below, known, statement.Greater, out var ending);
            items.Add(chain.Count == 1
                ? $"{names[chain[0]]} ok"
                : $"from {string.Join(" > ", chain.Select(person => names[person]))} {ending}");
            if (ending == "again")
                break;
            known.UnionWith(chain);
        }

        return string.Join(" ; ", items);
    }

    private static List<int> Follow(Dictionary<int, int> below, HashSet<int> known, int start, out string ending)
    {
        var chain = new List<int> { start };
        while (true)
        {
            if (known.Contains(chain[^1]))
            {
                ending = "ok";
                return chain;
            }

            if (!below.TryGetValue(chain[^1], out var next))
            {
                ending = "end";
                return chain;
            }

            var again = chain.Contains(next);
            chain.Add(next);
            if (again)
            {
                ending = "again";
                return chain;
            }
        }
    }
}
