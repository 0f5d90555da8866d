using System.Globalization;

namespace Distill.Data.Problems.Families.Sequences;

/// <summary>A rule that a sequence may follow: what it looks at, and what comes next if it holds.</summary>
/// <param name="Look">The step that tries it, e.g. <c>differences 4 4 4</c>.</param>
/// <param name="Next">Null when the terms do not follow it.</param>
/// <param name="Steps">From what was seen to the next term.</param>
internal sealed record RuleTrial(string Look, long? Next, IReadOnlyList<string> Steps);

/// <summary>
/// The hypothesis space: six kinds of rules with any whole parameters, in the order in which the trace tries them. A rule's parameters
/// follow from the first terms, so that each kind either fits in exactly one way or not at all; every kind has terms left to be checked by.
/// </summary>
internal static class SequenceRules
{
    private static readonly Func<IReadOnlyList<long>, RuleTrial>[] Kinds =
        [SameDifference, SameSecondDifference, GrowingDifference, SumOfTwo, MultiplyAndAdd, TwoInOne];

    public static IEnumerable<RuleTrial> Try(IReadOnlyList<long> terms) => Kinds.Select(kind => kind(terms));

    /// <summary>The next terms by all rules that fit: one when the answer is unique, none when there is no rule.</summary>
    public static IReadOnlyList<long> Next(IReadOnlyList<long> terms) =>
        [.. Try(terms).Select(trial => trial.Next).OfType<long>().Distinct()];

    private static RuleTrial SameDifference(IReadOnlyList<long> terms)
    {
        var steps = Differences(terms);
        return new RuleTrial($"differences {Say(steps)}", AreSame(steps) ? terms[^1] + steps[0] : null, [Add(terms[^1], steps[0])]);
    }

    private static RuleTrial SameSecondDifference(IReadOnlyList<long> terms)
    {
        var steps = Differences(terms);
        var second = Differences(steps);
        var next = steps[^1] + second[0];
        return new RuleTrial(
            $"second {Say(second)}", AreSame(second) ? terms[^1] + next : null, [Add(steps[^1], second[0]), Add(terms[^1], next)]);
    }

    /// <summary>Each term is r times the one before and something more: the differences are then r times the ones before.</summary>
    private static RuleTrial GrowingDifference(IReadOnlyList<long> terms)
    {
        var steps = Differences(terms);
        var ratio = Ratio(steps);
        if (ratio is not { } factor)
            return new RuleTrial("times", null, []);
        return new RuleTrial(
            Text($"times {factor}"), terms[^1] + (steps[^1] * factor), [Multiply(steps[^1], factor), Add(terms[^1], steps[^1] * factor)]);
    }

    private static RuleTrial SumOfTwo(IReadOnlyList<long> terms)
    {
        var sums = terms.Zip(terms.Skip(1), (first, second) => first + second).ToList();
        var fits = sums.SkipLast(1).SequenceEqual(terms.Skip(2));
        return new RuleTrial($"sums {Say(sums.SkipLast(1).ToList())}", fits ? sums[^1] : null, [Add(terms[^2], terms[^1])]);
    }

    /// <summary>In turn times r and plus c, in either order.</summary>
    private static RuleTrial MultiplyAndAdd(IReadOnlyList<long> terms)
    {
        foreach (var start in new[] { 0, 1 })
        {
            if (Turns(terms, start) is not var (factor, more))
                continue;
            var multiplies = (terms.Count - 1) % 2 == start;
            var next = multiplies ? terms[^1] * factor : terms[^1] + more;
            return new RuleTrial(
                Text($"turns times {factor} plus {more}"), next, [multiplies ? Multiply(terms[^1], factor) : Add(terms[^1], more)]);
        }

        return new RuleTrial("turns", null, []);
    }

    /// <summary>Two sequences with a step each, in turn.</summary>
    private static RuleTrial TwoInOne(IReadOnlyList<long> terms)
    {
        var (odd, even) = (terms.Where((_, i) => i % 2 == 0).ToList(), terms.Where((_, i) => i % 2 == 1).ToList());
        var (oddSteps, evenSteps) = (Differences(odd), Differences(even));
        var (turn, steps) = terms.Count % 2 == 0 ? (odd, oddSteps) : (even, evenSteps);
        return new RuleTrial(
            $"odd {Say(odd)} even {Say(even)}",
            AreSame(oddSteps) && AreSame(evenSteps) ? turn[^1] + steps[0] : null,
            [Add(turn[^1], steps[0])]);
    }

    private static (long Factor, long More)? Turns(IReadOnlyList<long> terms, int start)
    {
        var products = Enumerable.Range(0, terms.Count - 1).Where(i => i % 2 == start).ToList();
        var sums = Enumerable.Range(0, terms.Count - 1).Where(i => i % 2 != start).ToList();
        var (first, more) = (products[0], terms[sums[0] + 1] - terms[sums[0]]);
        if (terms[first] == 0 || terms[first + 1] % terms[first] != 0 || terms[first + 1] / terms[first] is not (> 1 and var factor))
            return null;
        return products.TrueForAll(i => terms[i + 1] == terms[i] * factor) && sums.TrueForAll(i => terms[i + 1] - terms[i] == more)
            ? (factor, more)
            : null;
    }

    private static long? Ratio(IReadOnlyList<long> steps)
    {
        if (steps[0] == 0 || steps[1] % steps[0] != 0 || steps[1] / steps[0] is not (> 1 and var factor))
            return null;
        return steps.Zip(steps.Skip(1)).All(pair => pair.Second == pair.First * factor) ? factor : null;
    }

    private static List<long> Differences(IReadOnlyList<long> terms) => [.. terms.Zip(terms.Skip(1), (first, second) => second - first)];

    private static bool AreSame(IReadOnlyList<long> numbers) => numbers.All(number => number == numbers[0]);

    private static string Say(IReadOnlyList<long> numbers) => string.Join(' ', numbers.Select(Number));

    private static string Number(long number) => number < 0 ? Text($"( - {-number} )") : Text($"{number}");

    private static string Add(long left, long right) => right < 0
        ? $"{Number(left)} - {Number(-right)} = {Number(left + right)}"
        : $"{Number(left)} + {Number(right)} = {Number(left + right)}";

    private static string Multiply(long left, long right) => $"{Number(left)} * {Number(right)} = {Number(left * right)}";

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
