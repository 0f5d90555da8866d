using System.Globalization;
using System.Text.RegularExpressions;
using Distill.Data.Problems;

namespace Distill.Data.Tests.Problems.Oracles;

/// <summary>Tries every parameter of every rule by continuing the first terms, where the family works parameters out.</summary>
internal sealed partial class SequencesOracle : Oracle
{
    private const int Most = 2000;

    private static readonly string[] Rules = ["differences", "second", "times", "sums", "turns", "odd"];

    public override bool Accepts(string text, string answer)
    {
        var next = Next(Terms(text)).Values.SelectMany(values => values).Distinct().ToArray();
        return answer == "impossible" ? next.Length == 0 : next.Length == 1 && answer == $"{next[0]}";
    }

    public override bool IsUnsatisfiable(string text) => Next(Terms(text)).Values.All(values => values.Count == 0);

    public override void CheckSteps(Problem problem)
    {
        var terms = Terms(problem.Text);
        var next = Next(terms);
        var items = StepText.Items(problem.ReferenceSolution!);
        for (var i = 0; i < items.Length; i++)
        {
            var rule = Rules[i];
            var fits = next[rule].Count > 0;
            items[i].ShouldBe($"{Look(rule, terms, fits)} {(fits ? "ok" : "no")}", problem.Id);
            if (!fits)
                continue;
            long? result = null;
            foreach (var step in items[(i + 1)..])
                result = Result(step).ShouldNotBeNull($"{problem.Id}: {step}");
            $"{result}".ShouldBe(problem.ReferenceAnswer, problem.Id);
            return;
        }

        (items.Length, problem.ReferenceAnswer).ShouldBe((6, "impossible"), problem.Id);
    }

    public override bool IsTrue(string fact)
    {
        var halves = fact.Split(" : ");
        return halves[1] == Look("differences", [.. halves[0].Split(" , ").Select(term => (long)StepText.Number(term))], true);
    }

    /// <summary>By rule all continuations.</summary>
    private static Dictionary<string, HashSet<long>> Next(long[] terms)
    {
        var next = Rules.ToDictionary(rule => rule, _ => new HashSet<long>());
        void Try(string rule, Func<int, long[], long> term, int given)
        {
            var made = terms.Take(given).Concat(new long[terms.Length + 1 - given]).ToArray();
            for (var i = given; i <= terms.Length; i++)
            {
                made[i] = term(i, made);
                if (i < terms.Length && made[i] != terms[i])
                    return;
            }

            next[rule].Add(made[^1]);
        }

        Try("sums", (i, made) => made[i - 2] + made[i - 1], 2);
        for (var step = -Most; step <= Most; step++)
        {
            var (add, second) = (step, terms[1] - terms[0] - step);
            Try("differences", (i, made) => made[i - 1] + add, 1);
            // The second difference is "add".
            Try("second", (i, made) => (2 * made[i - 1]) - made[i - 2] + add, 2);
            for (var phase = 0; step > 1 && phase < 2 && terms[phase] != 0; phase++)
            {
                var (factor, at, more) = (step, phase, terms[2 - phase] - terms[1 - phase]);
                Try("turns", (i, made) => (i - 1) % 2 == at ? made[i - 1] * factor : made[i - 1] + more, 1);
            }

            if (step > 1 && terms[1] != terms[0])
                Try("times", (i, made) => (made[i - 1] * add) + terms[1] - (add * terms[0]), 1);
        }

        var (odd, even) = (terms[2] - terms[0], terms[3] - terms[1]);
        Try("odd", (i, made) => made[i - 2] + (i % 2 == 0 ? odd : even), 2);
        return next;
    }

    private static string Look(string rule, long[] terms, bool fits)
    {
        var differences = Differences(terms);
        switch (rule)
        {
            case "differences":
                return $"differences {Say(differences)}";
            case "second":
                return $"second {Say(Differences(differences))}";
            case "times":
                return fits ? $"times {differences[1] / differences[0]}" : "times";
            case "sums":
                return $"sums {Say([.. Enumerable.Range(0, terms.Length - 2).Select(i => terms[i] + terms[i + 1])])}";
            case "turns" when !fits:
                return "turns";
            case "turns":
                var first = terms[0] != 0 && terms[1] % terms[0] == 0 && terms[2] * (terms[1] / terms[0]) == terms[3] ? 0 : 1;
                return $"turns times {terms[first + 1] / terms[first]} plus {terms[2 - first] - terms[1 - first]}";
            default:
                return $"odd {Say([.. terms.Where((_, i) => i % 2 == 0)])} even {Say([.. terms.Where((_, i) => i % 2 == 1)])}";
        }
    }

    private static long? Result(string step)
    {
        if (Operation().Match(step) is not { Success: true, Groups: var groups })
            return null;
        var (left, right, result) = (Number(groups[1].Value), Number(groups[3].Value), Number(groups[4].Value));
        var value = groups[2].Value switch { "+" => left + right, "-" => left - right, _ => left * right };
        return value == result ? result : null;
    }

    private static long[] Differences(long[] terms) => [.. terms.Zip(terms.Skip(1), (first, second) => second - first)];

    private static string Say(long[] numbers) => string.Join(' ', numbers.Select(number => number < 0 ? $"( - {-number} )" : $"{number}"));

    private static long Number(string text) =>
        long.Parse(text.Trim('(', ')', ' ').Replace("- ", "-", StringComparison.Ordinal), CultureInfo.InvariantCulture);

    private static long[] Terms(string text) => [.. List().Match(text).Value.Split(" , ").Select(term => (long)StepText.Number(term))];

    [GeneratedRegex("[0-9]+(?: , [0-9]+){3,}")]
    private static partial Regex List();

    [GeneratedRegex(@"^([0-9]+|\( - [0-9]+ \)) ([-+*]) ([0-9]+|\( - [0-9]+ \)) = ([0-9]+|\( - [0-9]+ \))$")]
    private static partial Regex Operation();
}
