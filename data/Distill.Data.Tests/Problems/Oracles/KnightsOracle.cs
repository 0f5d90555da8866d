using System.Text.RegularExpressions;
using Distill.Data.Problems;

namespace Distill.Data.Tests.Problems.Oracles;

internal sealed partial class KnightsOracle : Oracle
{
    public override bool Accepts(string text, string answer)
    {
        var (statements, worlds) = Solve(text);
        return answer == "contradiction" ? worlds.Count == 0 : worlds.Count == 1
            && answer.Split(" , ").Order().SequenceEqual(Describe(People(statements), worlds[0]).Split(" , ").Order());
    }

    public override bool IsUnsatisfiable(string text) => Solve(text).Worlds.Count == 0;

    public override void CheckSteps(Problem problem)
    {
        var (statements, _) = Solve(problem.Text);
        var all = Subsets(People(statements));
        var cases = Regex.Split(problem.ReferenceSolution!, "(?:^| ; )if ").Skip(1).ToArray();
        List<HashSet<string>> worlds = [];
        for (var i = 0; i < cases.Length; i++)
        {
            worlds.ShouldBeEmpty($"{problem.Id}: a case after the one that holds");
            var items = StepText.Items(cases[i]);
            items[0].ShouldBe($"{statements[0].Speaker} {(i == 0 ? "knight" : "knave")}", problem.Id);
            worlds = all.Where(world => Holds(items[0], world)).ToList();
            for (var step = 1; step < items.Length; step++)
                worlds = Follow(items[step], statements[step - 1], worlds).ShouldNotBeNull($"{problem.Id}: {items[step]}");
            (worlds.Count == 0 || items.Length == statements.Count + 1).ShouldBeTrue(problem.Id);
        }

        (cases.Length == 2 || worlds.Count == 1).ShouldBeTrue(problem.Id);
        problem.ReferenceAnswer.ShouldBe(worlds.Count == 0 ? "contradiction" : Describe(People(statements), worlds.Single()), problem.Id);
    }

    public override bool IsTrue(string fact)
    {
        if (StepText.Items(fact) is not [var known, var rest] || KnightsStatement.ReadAll(rest) is not [var statement])
            return false;
        var kinds = known.Split(" , ");
        var people = statement.People.Concat(kinds.Select(kind => kind.Split(' ')[0])).Distinct().ToList();
        var worlds = Subsets(people).Where(world => kinds.All(kind => Holds(kind, world))).ToList();
        return Follow(rest[(rest.IndexOf(" . ", StringComparison.Ordinal) + 3)..], statement, worlds) is not null;
    }

    /// <returns>The worlds left after a step of the trace, or null when it says anything but what then became certain.</returns>
    private static List<HashSet<string>>? Follow(string item, KnightsStatement statement, List<HashSet<string>> worlds)
    {
        var groups = Step().Match(item).Groups;
        var (speaker, claim, conclusion) = (groups[1].Value, groups[2].Value, groups[3].Value);
        var isQuoted = claim == statement.Claim && speaker.Split(' ')[0] == statement.Speaker
            && (!speaker.Contains(' ', StringComparison.Ordinal) || worlds.All(world => Holds(speaker, world)));
        var left = worlds.Where(statement.Fits).ToList();
        var news = Certain(statement, left).Except(Certain(statement, worlds)).ToHashSet();
        var expected = conclusion switch
        {
            "no" => left.Count == 0,
            "ok" => left.Count == worlds.Count,
            _ => left.Count > 0 && news.Count > 0 && news.SetEquals(conclusion.Split(" , ")),
        };
        return isQuoted && expected ? left : null;
    }

    private static IEnumerable<string> Certain(KnightsStatement statement, List<HashSet<string>> worlds) =>
        statement.People.SelectMany(person => new[] { $"{person} knight", $"{person} knave" })
            .Where(saying => worlds.All(world => Holds(saying, world)));

    private static bool Holds(string saying, HashSet<string> world) =>
        world.Contains(saying.Split(' ')[0]) == saying.EndsWith(" knight", StringComparison.Ordinal);

    private static (List<KnightsStatement> Statements, List<HashSet<string>> Worlds) Solve(string text)
    {
        var statements = KnightsStatement.ReadAll(text);
        return (statements, Subsets(People(statements)).Where(world => statements.All(statement => statement.Fits(world))).ToList());
    }

    private static List<string> People(List<KnightsStatement> statements) =>
        statements.SelectMany(statement => statement.People).Distinct().ToList();

    private static List<HashSet<string>> Subsets(List<string> people) => people.Aggregate(
        new List<HashSet<string>> { new() },
        (worlds, person) => [.. worlds, .. worlds.Select(world => new HashSet<string>(world) { person })]);

    private static string Describe(List<string> people, HashSet<string> world) =>
        string.Join(" , ", people.Select(person => $"{person} {(world.Contains(person) ? "knight" : "knave")}"));

    [GeneratedRegex("^([a-z]+(?: knight| knave)?) says (.+) so (.+)$")]
    private static partial Regex Step();
}

/// <summary>What somebody says, in the short words of traces: <c>ben knight</c>, <c>ben and cara same</c>.</summary>
internal sealed partial record KnightsStatement(string Speaker, string Claim)
{
    public IEnumerable<string> People => new[] { Speaker }.Concat(Claim.Split(' ')[..^1].Where(word => word != "and"));

    public static List<KnightsStatement> ReadAll(string text) => Sentence().Matches(text).Select(match => new KnightsStatement(
        match.Groups[1].Value,
        match.Groups[2].Value
            .Replace(" is a ", " ", StringComparison.Ordinal)
            .Replace(" are the same kind", " same", StringComparison.Ordinal)
            .Replace(" are different kinds", " different", StringComparison.Ordinal)
            .Replace(" are ", " ", StringComparison.Ordinal))).ToList();

    /// <summary>Knights say what is true, knaves what is false.</summary>
    public bool Fits(IReadOnlySet<string> knights)
    {
        var words = Claim.Split(' ');
        bool first = knights.Contains(words[0]), second = words.Length > 2 && knights.Contains(words[2]);
        var isTrue = words[^1] switch
        {
            "knight" => first,
            "knave" => !first,
            "knights" => first && second,
            "knaves" => !first && !second,
            "same" => first == second,
            "different" => first != second,
            _ => throw new InvalidDataException($"Nobody says '{Claim}'."),
        };
        return isTrue == knights.Contains(Speaker);
    }

    [GeneratedRegex(@"([a-z]+) says ([a-z ]+?) \.")]
    private static partial Regex Sentence();
}
