using System.Text.RegularExpressions;
using Distill.Data.Problems;

namespace Distill.Data.Tests.Problems.Oracles;

internal sealed partial class CountdownOracle : Oracle
{
    public override bool Accepts(string text, string answer)
    {
        var (numbers, target) = Read(text);
        if (answer == "impossible")
            return !CanMake(numbers, target);
        var (value, _, used) = PostfixEvaluator.Evaluate(answer);
        return value == target && used.Order().SequenceEqual(numbers.Order());
    }

    public override bool IsUnsatisfiable(string text)
    {
        var (numbers, target) = Read(text);
        return !CanMake(numbers, target);
    }

    public override void CheckSteps(Problem problem)
    {
        var (numbers, target) = Read(problem.Text);
        new SearchTraceCheck(numbers, target, problem.Id).Run(StepText.Items(problem.ReferenceSolution!), problem.ReferenceAnswer);
    }

    public override bool IsTrue(string fact) =>
        StepText.Result(fact) is not null || SearchTraceCheck.IsTrial(fact)
        || SearchTraceCheck.IsGive(fact, out _, out _) || SearchTraceCheck.IsNeed(fact, out _, out _);

    public static (int[] Numbers, int Target) Read(string text)
    {
        var groups = Question().Match(text).Groups;
        return (StepText.Numbers(groups["n"].Value), StepText.Number(groups["t"].Value));
    }

    /// <summary>Every pair, every operation, negative numbers too, until one number is left.</summary>
    public static bool CanMake(IReadOnlyList<int> numbers, int target)
    {
        if (numbers.Count == 1)
            return numbers[0] == target;
        for (var i = 0; i < numbers.Count; i++)
        {
            for (var j = i + 1; j < numbers.Count; j++)
            {
                var (a, b) = (numbers[i], numbers[j]);
                var rest = numbers.Where((_, index) => index != i && index != j).ToArray();
                if (new[] { a + b, a - b, b - a, a * b }.Any(value => CanMake([.. rest, value], target)))
                    return true;
            }
        }

        return false;
    }

    [GeneratedRegex(
        @"use (?<n>[\d ]+) once each to make (?<t>\d+) \.|the numbers are (?<n>[\d ]+) \. make (?<t>\d+) \.|"
        + @"make (?<t>\d+) (?:from|with) (?<n>[\d ]+) \.")]
    private static partial Regex Question();
}

/// <summary>Reads a countdown trace like a sceptic: every line true, every match in both lists, every "none" really none.</summary>
internal sealed partial class SearchTraceCheck(int[] numbers, int target, string id)
{
    private readonly HashSet<int> wanted = [target];
    private int[] given = [];
    private int[] needs = [];
    private bool afterGive;

    public void Run(string[] items, string answer)
    {
        if (numbers.Length == 2)
        {
            Try(items, answer);
            return;
        }

        var matched = Array.FindIndex(items, item => item.StartsWith("match ", StringComparison.Ordinal));
        foreach (var item in matched < 0 ? items : items[..matched])
            Search(item);
        (matched < 0).ShouldBe(answer == "impossible", id);
        if (matched < 0)
            return;
        var match = StepText.Number(items[matched]["match ".Length..]);
        given.ShouldContain(match, id);
        needs.ShouldContain(match, id);
        // The expression found is then computed: exactly these operations, and nothing behind them.
        items[(matched + 1)..].ShouldBe(PostfixEvaluator.Evaluate(answer).Steps, id);
    }

    /// <summary>One combination, held against what is needed: <c>need 24 ; 2 + 12 = 14 no</c>.</summary>
    public static bool IsTrial(string fact) =>
        StepText.Items(fact) is [var need, var tried] && need.StartsWith("need ", StringComparison.Ordinal)
        && StepText.Result(tried[..^3]) is { } result
        && tried[^3..] == (result == StepText.Number(need["need ".Length..]) ? " ok" : " no");

    /// <summary>Of two numbers: all that they make, in order, up to what is needed.</summary>
    private void Try(string[] items, string answer)
    {
        items[0].ShouldBe($"need {target}", id);
        var (greater, smaller) = (numbers.Max(), numbers.Min());
        string[] ways = [$"{numbers[0]} + {numbers[1]}", $"{greater} - {smaller}", $"{numbers[0]} * {numbers[1]}"];
        int[] values = [.. ways.Select(way => PostfixEvaluator.Evaluate(way).Value)];
        var found = Array.IndexOf(values, target);
        var tried = found < 0 ? ways.Length : found + 1;
        items[1..].ShouldBe(ways[..tried].Select((way, i) => $"{way} = {values[i]} {(i == found ? "ok" : "no")}"), id);
        answer.ShouldBe(found < 0 ? "impossible" : ways[found], id);
    }

    public static bool IsGive(string item, out int[] pair, out int[] values)
    {
        var match = Give().Match(item);
        (pair, values) = match.Success ? (StepText.Numbers(match.Groups[1].Value), StepText.Numbers(match.Groups[2].Value)) : ([], []);
        return match.Success && values is [var sum, var difference, var product]
            && sum == pair[0] + pair[1]
            && difference == Math.Max(pair[0], pair[1]) - Math.Min(pair[0], pair[1])
            && product == pair[0] * pair[1];
    }

    public static bool IsNeed(string item, out int goal, out int[] values)
    {
        var match = Need().Match(item);
        (goal, values) = match.Success ? (StepText.Number(match.Groups[1].Value), []) : (0, Array.Empty<int>());
        if (!match.Success)
            return false;
        var last = StepText.Number(match.Groups[2].Value);
        var words = match.Groups[3].Value.Split(' ');
        values = words.Where(word => word != "no").Select(StepText.Number).ToArray();
        return words is [var near, var above, var factor]
            && near == $"{(goal > last ? goal - last : last - goal)}" && above == $"{goal + last}"
            && (factor == "no" ? last == 0 || goal % last != 0 : StepText.Number(factor) * last == goal);
    }

    private void Search(string item)
    {
        var isGive = IsGive(item, out var pair, out var values);
        if (isGive)
        {
            // Two pairs in a row: the second are the candidates for the number set aside.
            if (!afterGive)
                given = values;
            pair.All(value => numbers.Count(number => number == value) >= pair.Count(number => number == value)).ShouldBeTrue(id);
        }
        else if (IsNeed(item, out var goal, out values))
        {
            wanted.ShouldContain(goal, id);
            needs = values;
            wanted.UnionWith(values);
        }
        else
        {
            item.ShouldBe("none", id);
            given.Intersect(needs).ShouldBeEmpty(id);
        }

        afterGive = isGive;
    }

    [GeneratedRegex(@"^(\d+ \d+) give (\d+ \d+ \d+)$")]
    private static partial Regex Give();

    [GeneratedRegex(@"^(\d+) (\d+) need (\d+ \d+ (?:\d+|no))$")]
    private static partial Regex Need();
}
