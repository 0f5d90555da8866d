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
        StepText.Result(fact) is not null || SearchTraceCheck.IsGive(fact, out _, out _) || SearchTraceCheck.IsNeed(fact, out _, out _);

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
