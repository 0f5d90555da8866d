using System.Text.RegularExpressions;
using Distill.Data.Problems;

namespace Distill.Data.Tests.Problems.Oracles;

/// <summary>Fills the street house by house, and checks every clue as soon as both of its things have a house.</summary>
internal sealed partial class ZebraOracle : Oracle
{
    public override bool Accepts(string text, string answer)
    {
        var puzzle = ZebraPuzzle.Read(text);
        var solutions = puzzle.Solutions();
        if (answer == "contradiction")
            return solutions.Count == 0;
        return solutions.Count == 1 && answer == puzzle.Describe(solutions[0]);
    }

    public override bool IsUnsatisfiable(string text) => ZebraPuzzle.Read(text).Solutions().Count == 0;

    public override void CheckSteps(Problem problem)
    {
        var puzzle = ZebraPuzzle.Read(problem.Text);
        var left = puzzle.Things.ToDictionary(thing => thing, _ => Enumerable.Range(1, puzzle.Houses).ToList());
        var items = StepText.Items(problem.ReferenceSolution!);
        for (var i = 0; i < items.Length; i++)
        {
            var halves = items[i].Split(" so ");
            (puzzle.Clues.Contains(halves[0]) || puzzle.Lists.ContainsKey(halves[0])).ShouldBeTrue($"{problem.Id}: {items[i]}");
            Follow(puzzle, left, halves[0]).ShouldBe(halves[1], $"{problem.Id}: {items[i]}");
            (halves[1] == "no").ShouldBe(i == items.Length - 1 && problem.ReferenceAnswer == "contradiction", problem.Id);
        }

        if (problem.ReferenceAnswer == "contradiction")
            return;
        left.Values.ShouldAllBe(houses => houses.Count == 1);
        puzzle.Describe(left.ToDictionary(pair => pair.Key, pair => pair.Value[0])).ShouldBe(problem.ReferenceAnswer, problem.Id);
    }

    public override bool IsTrue(string fact)
    {
        if (!fact.StartsWith("houses 1 2 3 ; ", StringComparison.Ordinal))
            return false;
        var halves = fact["houses 1 2 3 ; ".Length..].Split(" so ");
        var words = Thing().Matches(halves[0]).Select(match => match.Value);
        var puzzle = new ZebraPuzzle(3, new Dictionary<string, string[]>(), [halves[0]]);
        var left = words.ToDictionary(word => word, _ => new List<int> { 1, 2, 3 });
        return halves.Length == 2 && Follow(puzzle, left, halves[0]) == halves[1];
    }

    /// <summary>Takes away what the reason alone excludes, and says what a step must say of it.</summary>
    private static string Follow(ZebraPuzzle puzzle, Dictionary<string, List<int>> left, string reason)
    {
        var things = puzzle.Lists.TryGetValue(reason, out var list) ? list : Thing().Matches(reason).Select(match => match.Value).ToArray();
        List<Dictionary<string, int>> ways = [[]];
        foreach (var thing in things)
            ways = [.. from way in ways from house in left[thing] select new Dictionary<string, int>(way) { [thing] = house }];
        ways.RemoveAll(way => list is not null ? way.Values.Distinct().Count() < way.Count : !ZebraPuzzle.Holds(reason, way));
        var news = new List<string>();
        foreach (var thing in things)
        {
            var houses = ways.Select(way => way[thing]).Distinct().Order().ToList();
            if (!houses.SequenceEqual(left[thing]))
                news.Add($"{thing} {string.Join(" or ", houses)}");
            left[thing] = houses;
        }

        return ways.Count == 0 ? "no" : string.Join(" , ", news);
    }

    [GeneratedRegex(@"\b(?!left\b|just\b|next\b|is\b|at\b|of\b|to\b|not\b)[a-z]+\b")]
    private static partial Regex Thing();
}

/// <summary>A puzzle in the short words of traces: <c>cat at 2</c>, <c>anna just left of tea</c>.</summary>
internal sealed partial record ZebraPuzzle(int Houses, IReadOnlyDictionary<string, string[]> Lists, IReadOnlyList<string> Clues)
{
    public IEnumerable<string> Things => Lists.Values.SelectMany(list => list);

    public static ZebraPuzzle Read(string text)
    {
        var lists = List().Matches(text).ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value.Split(" , "));
        var sentences = text.Split(" . ").Select(sentence => Owner().Replace(sentence, "$1"));
        return new ZebraPuzzle(
            lists["people"].Length,
            lists,
            [.. sentences.Select(sentence => Short(sentence, [.. lists.Values.SelectMany(list => list)])).OfType<string>()]);
    }

    public static bool Holds(string clue, IReadOnlyDictionary<string, int> houses)
    {
        var words = clue.Split(' ');
        var first = houses[words[0]];
        int Second() => houses[words[^1]];
        return string.Join(' ', words[1..^1]) switch
        {
            "at" => first == StepText.Number(words[^1]),
            "not at" => first != StepText.Number(words[^1]),
            "is" => first == Second(),
            "is not" => first != Second(),
            "left of" => first < Second(),
            "just left of" => first == Second() - 1,
            "next to" => first == Second() - 1 || Second() == first - 1,
            _ => throw new InvalidDataException($"No clue says '{clue}'."),
        };
    }

    public string Describe(IReadOnlyDictionary<string, int> world) => string.Join(" , ", Enumerable.Range(1, Houses).Select(house =>
        $"{house} {string.Join(' ', Things.Where(thing => world[thing] == house))}"));

    /// <summary>At most two: more need not be told apart.</summary>
    public List<Dictionary<string, int>> Solutions()
    {
        var solutions = new List<Dictionary<string, int>>();
        Fill([.. Things], [], solutions);
        return solutions;
    }

    private void Fill(string[] things, Dictionary<string, int> world, List<Dictionary<string, int>> solutions)
    {
        if (solutions.Count == 2)
            return;
        if (world.Count == things.Length)
        {
            solutions.Add(new(world));
            return;
        }

        var thing = things[world.Count];
        var others = Lists.Values.Single(list => list.Contains(thing));
        for (var house = 1; house <= Houses; house++)
        {
            if (others.Any(other => world.TryGetValue(other, out var taken) && taken == house))
                continue;
            world[thing] = house;
            if (Clues.All(clue => !IsDecided(clue, world) || Holds(clue, world)))
                Fill(things, world, solutions);
            world.Remove(thing);
        }
    }

    private static bool IsDecided(string clue, Dictionary<string, int> world)
    {
        var words = clue.Split(' ');
        return world.ContainsKey(words[0]) && (char.IsAsciiDigit(words[^1][0]) || world.ContainsKey(words[^1]));
    }

    private static string? Short(string sentence, string[] things)
    {
        var words = sentence.Replace(" lives", "", StringComparison.Ordinal)
            .Replace(" does not live in house ", " not at ", StringComparison.Ordinal)
            .Replace(" in house ", " at ", StringComparison.Ordinal);
        if (Right().Match(words) is { Success: true, Groups: var sides })
            words = $"{sides[3]} {sides[2]}left of {sides[1]}";
        var parts = words.Split(' ');
        var isClue = parts.Length >= 3 && things.Contains(parts[0]) && parts[1] != "has"
            && (things.Contains(parts[^1]) || char.IsAsciiDigit(parts[^1][0]));
        return isClue ? words : null;
    }

    [GeneratedRegex("(people|pets|drinks) : ([a-z ,]+?) [.]")]
    private static partial Regex List();

    [GeneratedRegex("the ([a-z]+) (?:owner|drinker)")]
    private static partial Regex Owner();

    [GeneratedRegex("^([a-z]+) (just )?right of ([a-z]+)$")]
    private static partial Regex Right();
}
