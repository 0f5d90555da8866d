using System.Text.RegularExpressions;
using Distill.Data.Problems;

namespace Distill.Data.Tests.Problems.Oracles;

/// <summary>
/// Follows implications between being and not being in groups (two literals a clause: Aspvall, Plass and Tarjan, 1979), where the family
/// goes through kinds of people.
/// </summary>
internal sealed partial class SyllogismsOracle : Oracle
{
    public override bool Accepts(string text, string answer)
    {
        var theory = Theory.Read(text);
        if (!theory.IsConsistent || answer == "contradiction")
            return !theory.IsConsistent && answer == "contradiction";
        if (Asked().Match(text) is { Success: true, Groups: var asked })
            return answer == (theory.Follows(asked[1].Value) ? "yes" : "no");
        var about = About().Match(text).Groups;
        return Normal(answer) == Normal(Strongest(theory, about[1].Value, about[2].Value));
    }

    public override bool IsUnsatisfiable(string text) => !Theory.Read(text).IsConsistent;

    public override void CheckSteps(Problem problem)
    {
        var theory = Theory.Read(problem.Text);
        var items = StepText.Items(problem.ReferenceSolution!);
        items[^1].ShouldBe($"so {problem.ReferenceAnswer}", problem.Id);
        var lines = items[..^1];
        var witnesses = theory.Witnesses.Take(lines.Length).ToArray();
        for (var i = 0; i < lines.Length; i++)
        {
            lines[i].Split(" : ")[0].ShouldBe(string.Join(" , ", witnesses[i]), problem.Id);
            theory.IsTrue(lines[i]).ShouldBeTrue($"{problem.Id}: {lines[i]}");
        }

        if (theory.IsConsistent)
            lines.Length.ShouldBe(theory.Witnesses.Count(), problem.Id);
        else
            lines[^1].ShouldEndWith(" no", customMessage: problem.Id);
    }

    public override bool IsTrue(string fact)
    {
        var at = fact.IndexOf(" . ", StringComparison.Ordinal);
        return at > 0 && Theory.Read(fact[..(at + 2)]) is { Premises.Count: 1 } theory && theory.IsTrue(fact[(at + 3)..]);
    }

    private static string Strongest(Theory theory, string first, string second)
    {
        string[] candidates =
        [
            $"all {first} are {second}", $"all {second} are {first}", $"no {first} are {second}", $"some {first} are {second}",
            $"some {first} are not {second}", $"some {second} are not {first}",
        ];
        var following = candidates.Where(theory.Follows).ToArray();
        return following.Length == 0
            ? "nothing"
            : following.Single(one => following.All(other => new Theory([one]).Follows(other)));
    }

    /// <summary>Groups of "no" and "some … are" in the order of the alphabet.</summary>
    private static string Normal(string statement) => statement.Split(' ') switch
    {
        ["no" or "some", var first, "are", var second] when string.CompareOrdinal(first, second) > 0 =>
            $"{statement.Split(' ')[0]} {second} are {first}",
        _ => statement,
    };

    [GeneratedRegex("does it follow that ([a-z ]+) [?]")]
    private static partial Regex Asked();

    [GeneratedRegex("what follows about ([a-z]+) and ([a-z]+) [?]")]
    private static partial Regex About();
}

/// <summary>Premises in words, each group having members.</summary>
internal sealed partial record Theory(IReadOnlyList<string> Premises)
{
    private readonly ILookup<string, string> implied = Premises.SelectMany(Implications).ToLookup(pair => pair.From, pair => pair.To);

    /// <summary>What may be supposed: somebody of each group, then somebody of each "some".</summary>
    public IEnumerable<string[]> Witnesses => Premises.SelectMany(Groups).Distinct().Select(group => new[] { group }).Concat(
        Premises.Where(premise => premise.StartsWith("some", StringComparison.Ordinal)).Select(Literals));

    public bool IsConsistent => Witnesses.All(witness => IsPossible(Reach(witness)));

    public static Theory Read(string text) => new([.. Sentence().Matches(text).Select(match => match.Groups[1].Value).Select(premise =>
        premise.Split(' ') is ["only", var first, "are", var second] ? $"all {second} are {first}" : premise)]);

    public bool Follows(string conclusion)
    {
        var (first, second) = (Groups(conclusion)[0], Groups(conclusion)[1]);
        return conclusion.Split(' ') switch
        {
            ["all", ..] => Reach([first]).Contains(second),
            ["no", ..] => Reach([first]).Contains(Not(second)),
            _ => Witnesses.Select(Reach).Any(known => Literals(conclusion).All(known.Contains)),
        };
    }

    /// <summary>A line of a trace: its witness, and all that follows of it in an order in which each follows from one before.</summary>
    public bool IsTrue(string line)
    {
        var isImpossible = line.EndsWith(" no", StringComparison.Ordinal);
        var halves = (isImpossible ? line[..^3] : line).Split(" : ");
        var known = halves[0].Split(" , ").ToList();
        var all = Reach([.. known]);
        foreach (var literal in halves[1].Split(" , ").Where(literal => literal != "nothing"))
        {
            if (known.Contains(literal) || !known.Any(before => implied[before].Contains(literal)))
                return false;
            known.Add(literal);
        }

        return isImpossible
            ? known[..^1].Contains(Not(known[^1])) && !IsPossible(all)
            : IsPossible(all) && all.SetEquals(known);
    }

    private HashSet<string> Reach(string[] start)
    {
        var reached = new HashSet<string>();
        var open = new Stack<string>(start);
        while (open.TryPop(out var literal))
        {
            if (!reached.Add(literal))
                continue;
            foreach (var next in implied[literal])
                open.Push(next);
        }

        return reached;
    }

    private static bool IsPossible(HashSet<string> known) => !known.Any(literal => known.Contains(Not(literal)));

    private static IEnumerable<(string From, string To)> Implications(string premise)
    {
        var (first, second) = (Groups(premise)[0], Groups(premise)[1]);
        return premise.Split(' ')[0] switch
        {
            "all" => [(first, second), (Not(second), Not(first))],
            "no" => [(first, Not(second)), (second, Not(first))],
            _ => [],
        };
    }

    private static string[] Groups(string statement) =>
        [.. statement.Split(' ').Where(word => word is not ("all" or "no" or "some" or "are" or "not"))];

    private static string[] Literals(string some)
    {
        var groups = Groups(some);
        return [groups[0], some.Contains(" not ", StringComparison.Ordinal) ? Not(groups[1]) : groups[1]];
    }

    private static string Not(string literal) => literal.StartsWith("not ", StringComparison.Ordinal) ? literal[4..] : $"not {literal}";

    [GeneratedRegex("((?:all|no|some|only) [a-z]+ are (?:not )?[a-z]+) [.]")]
    private static partial Regex Sentence();
}
