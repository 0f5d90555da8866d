using Distill.Data.Problems;
using Distill.Data.Tests.Problems;
using Distill.Data.Tests.Problems.Oracles;
using Distill.Verification;

namespace Distill.Data.Tests.Verification;

/// <summary>Answers that read well and are wrong.</summary>
public sealed class WrongAnswerTests
{
    public static TheoryData<string, int> Levels => FamilySamples.Levels;

    [Theory]
    [MemberData(nameof(Levels))]
    public void A_wrong_answer_is_refused(string family, int level)
    {
        var verifier = ProblemFamilies.Get(family).Verifier;
        foreach (var problem in FamilySamples.WithTwins(family, level))
        {
            var wrong = Wrong(problem).ToArray();
            wrong.ShouldNotBeEmpty();
            foreach (var answer in wrong)
                verifier.Verify(answer, problem).ShouldBe(Verdict.Incorrect, $"{problem.Id}: {answer}");
        }
    }

    /// <summary>A verdict looks at the problem: the right answers of others are right only by coincidence.</summary>
    [Theory]
    [MemberData(nameof(Levels))]
    public void The_verifier_agrees_with_the_words_of_the_problem_about_other_answers(string family, int level)
    {
        var (verifier, oracle) = (ProblemFamilies.Get(family).Verifier, Oracle.Of(family));
        var problems = FamilySamples.WithTwins(family, level).ToArray();
        for (var i = 1; i < problems.Length; i++)
        {
            var answer = problems[i - 1].ReferenceAnswer;
            var expected = answer is "impossible" && family == "arithmetic" ? false : oracle.Accepts(problems[i].Text, answer);
            (verifier.Verify(answer, problems[i]) == Verdict.Correct).ShouldBe(expected, $"{problems[i].Id}: {answer}");
        }
    }

    private static IEnumerable<string> Wrong(Problem problem)
    {
        var right = problem.ReferenceAnswer;
        switch (problem.Source)
        {
            case "arithmetic" or "words" or "sequences":
                if (right == "impossible")
                    return ["0", "-1", "12"];
                var number = StepText.Number(right);
                return [$"{number + 1}", $"{number - 1}", $"1{right}", $"-{number + 1}", "impossible"];
            case "contradiction":
                return [right == "yes" ? "no" : "yes"];
            case "knights":
                if (right == "contradiction")
                    return ["anna knight", All(problem, "knight"), All(problem, "knave")];
                var parts = right.Split(" , ");
                var turned = parts.Select((part, i) => string.Join(" , ", parts.Select((other, j) => i == j ? Turn(part) : other)));
                return [.. turned, parts[0], $"{right} , nobody knight", $"{right} , {Turn(parts[0])}", "contradiction"];
            case "zebra":
                return WrongStreets(problem.Text, right);
            case "syllogisms":
                return new[] { "yes", "no", "nothing", "contradiction", "all bakers are chefs", "some bakers are not chefs" }
                    .Where(answer => answer != right);
            case "units":
                var value = Ratio.TryRead(right);
                return value is { } known
                    ? [$"{known.Above + known.Below} / {known.Below}", $"{right}0", "impossible", $"{right} inches per week", "0"]
                    : ["0", "1 / 2", "12.5"];
            case "calendar":
                string[] others = ["monday", "friday", "17", "1 march 2024", "2024-03-02", "impossible", "-3 days"];
                return others.Where(answer => answer != right);
            case "consistency":
                string[] sets = ["1", "1 , 2 , 3 , 4 , 99", "98", right == "consistent" ? "2 , 3" : "consistent"];
                return right == "consistent" ? sets : [.. sets, $"{right} , 99", string.Join(" , ", right.Split(" , ")[1..])];
            default:
                var (numbers, target) = CountdownOracle.Read(problem.Text);
                string[] always =
                    [$"{target}", string.Join(" + ", numbers) + " + 0", $"{numbers[0]}", string.Join(" * ", numbers.Select(_ => "0"))];
                return right == "impossible"
                    ? [.. always, string.Join(" + ", numbers)]
                    : [.. always, "impossible", $"{right} + 1", $"( {right} ) * 1", $"{right} - {right} + {right}"];
        }
    }

    private static string[] WrongStreets(string text, string right)
    {
        var puzzle = ZebraPuzzle.Read(text);
        string Street(int shift) => string.Join(" , ", Enumerable.Range(0, puzzle.Houses).Select(house => $"{house + 1} " + string.Join(
            ' ', puzzle.Lists.Values.Select((list, i) => list[(house + (i == 0 ? shift : 0)) % puzzle.Houses]))));
        var streets = Enumerable.Range(0, puzzle.Houses).Select(Street).Where(street => street != right);
        var houses = right.Split(" , ");
        return right == "contradiction"
            ? [.. streets]
            : [.. streets, "contradiction", string.Join(" , ", houses[1..]), $"{right} , {houses[0]}",
                string.Join(" , ", [$"2{houses[0][1..]}", $"1{houses[1][1..]}", .. houses[2..]])];
    }

    private static string All(Problem problem, string kind)
    {
        var people = KnightsStatement.ReadAll(problem.Text).SelectMany(statement => statement.People).Distinct();
        return string.Join(" , ", people.Select(person => $"{person} {kind}"));
    }

    private static string Turn(string part) =>
        part.Split(' ')[0] + (part.EndsWith(" knight", StringComparison.Ordinal) ? " knave" : " knight");
}
