using System.Text.RegularExpressions;
using Distill.Data.Problems;

namespace Distill.Data.Tests.Problems.Oracles;

internal sealed partial class WordsOracle : Oracle
{
    public override bool Accepts(string text, string answer)
    {
        var story = new StoryReader(text);
        return answer == "impossible" ? story.Overdrawn is not null : story.Overdrawn is null && story.Amounts[^1] == StepText.Number(answer);
    }

    public override bool IsUnsatisfiable(string text) => new StoryReader(text).Overdrawn is not null;

    public override void CheckSteps(Problem problem)
    {
        var story = new StoryReader(problem.Text);
        var items = StepText.Items(problem.ReferenceSolution!);
        if (story.Overdrawn is { } overdrawn)
        {
            items[^1].ShouldBe($"{overdrawn.Had} - {overdrawn.Lost} < 0", problem.Id);
            items = items[..^1];
        }

        var results = items.Select(item => Result(item) ?? throw new InvalidDataException($"{problem.Id}: '{item}' is not true.")).ToArray();
        // A friend's number is told to be used at once.
        for (var i = 1; i < items.Length; i++)
            (items[i - 1].Contains('=', StringComparison.Ordinal) || items[i - 1] == $"{story.Hero} has {results[i - 1]}" || Left(items[i]) == results[i - 1])
                .ShouldBeTrue($"{problem.Id}: {items[i - 1]}");
        // Between the numbers of the hero there may be those of the friend and of the boxes.
        var told = 0;
        foreach (var result in results)
            told += told < story.Amounts.Count && story.Amounts[told] == result ? 1 : 0;
        told.ShouldBe(story.Amounts.Count, $"{problem.Id}: {problem.ReferenceSolution}");
        if (story.Overdrawn is not null)
            return;
        results[^1].ShouldBe(story.Amounts[^1], problem.Id);
        items.Count(item => item.Contains('=', StringComparison.Ordinal)).ShouldBe(problem.Level + 1, problem.Id);
    }

    public override bool IsTrue(string fact) =>
        TooMuch().Match(fact) is { Success: true, Groups: var groups }
            ? StepText.Number(groups[1].Value) < StepText.Number(groups[2].Value)
            : Result(fact) is not null;

    private static int? Result(string item)
    {
        var rest = Owner().Replace(item, "");
        return rest.Length < item.Length && rest.All(char.IsAsciiDigit) ? StepText.Number(rest) : StepText.Result(rest);
    }

    private static int Left(string item) => StepText.Number(Owner().Replace(item, "").Split(' ')[0]);

    [GeneratedRegex("^[a-z]+ has ")]
    private static partial Regex Owner();

    [GeneratedRegex("^([0-9]+) - ([0-9]+) < 0$")]
    private static partial Regex TooMuch();
}
