using System.Text.RegularExpressions;
using Distill.Data.Problems;

namespace Distill.Data.Tests.Problems.Oracles;

internal sealed partial class ContradictionOracle : Oracle
{
    public override bool Accepts(string text, string answer) => answer == (IsUnsatisfiable(text) ? "yes" : "no");

    /// <summary>Kahn: takes away whoever has nobody above, until nobody is left or everybody has.</summary>
    public override bool IsUnsatisfiable(string text)
    {
        var links = Links(text);
        while (links.Count > 0)
        {
            var below = links.Select(link => link.Smaller).ToHashSet();
            if (links.RemoveAll(link => !below.Contains(link.Greater)) == 0)
                return true;
        }

        return false;
    }

    public override void CheckSteps(Problem problem)
    {
        var links = Links(problem.Text);
        var items = StepText.Items(problem.ReferenceSolution!);
        items[..links.Count].ShouldBe(links.Select(link => $"{link.Greater} > {link.Smaller}"), problem.Id);
        var ended = new HashSet<string>();
        var chains = items[links.Count..];
        for (var i = 0; i < chains.Length; i++)
        {
            var words = chains[i].Split(' ');
            var people = (words[0] == "from" ? words[1..^1] : words[..^1]).Where(word => word != ">").ToArray();
            people[0].ShouldBe(links[i].Greater, problem.Id);
            people.Zip(people.Skip(1)).All(links.Contains).ShouldBeTrue(problem.Id);
            var sound = words[^1] switch
            {
                "ok" => ended.Contains(people[^1]),
                "end" => !ended.Contains(people[^1]) && links.TrueForAll(link => link.Greater != people[^1]),
                "again" => Array.IndexOf(people, people[^1]) < people.Length - 1
                    && i == chains.Length - 1 && problem.ReferenceAnswer == "yes",
                _ => false,
            };
            sound.ShouldBeTrue($"{problem.Id}: {chains[i]}");
            ended.UnionWith(people);
        }

        var isWhole = problem.ReferenceAnswer == "yes"
            ? chains[^1].EndsWith("again", StringComparison.Ordinal)
            : chains.Length == links.Count;
        isWhole.ShouldBeTrue(problem.Id);
    }

    public override bool IsTrue(string fact) => Links(fact) is [var link]
        ? fact.EndsWith($" . {link.Greater} > {link.Smaller}", StringComparison.Ordinal)
        : IsChain(StepText.Items(fact));

    /// <summary>Links, then the chain from the first of them to its end or round to somebody passed before.</summary>
    private static bool IsChain(string[] items)
    {
        var links = items[..^1].Select(item => item.Split(" > ")).ToDictionary(pair => pair[0], pair => pair[1]);
        List<string> chain = [items[0].Split(" > ")[0]];
        while (links.TryGetValue(chain[^1], out var next) && chain.Distinct().Count() == chain.Count)
            chain.Add(next);
        return items[^1] == $"from {string.Join(" > ", chain)} {(chain.Distinct().Count() < chain.Count ? "again" : "end")}";
    }

    private static List<(string Greater, string Smaller)> Links(string text) => Sentence().Matches(text).Select(match =>
    {
        var (first, second) = (match.Groups[1].Value, match.Groups[3].Value);
        return match.Groups[2].Value is "older" or "taller" ? (first, second) : (second, first);
    }).ToList();

    [GeneratedRegex("([a-z]+) is (older|younger|taller|shorter) than ([a-z]+) [.]")]
    private static partial Regex Sentence();
}
