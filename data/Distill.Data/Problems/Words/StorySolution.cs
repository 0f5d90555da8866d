using System.Globalization;
using Distill.Data.Problems.Arithmetic;

namespace Distill.Data.Problems.Words;

/// <summary>Follows the hero's number through a story, one operation a step.</summary>
internal sealed class StorySolution
{
    private readonly List<string> steps = [];
    private readonly List<int> amounts = [];
    private int amount;

    public StorySolution(IReadOnlyList<StoryEvent> events, string hero, string friend)
    {
        foreach (var story in events)
        {
            if (!IsImpossible)
                Tell(story, hero, friend);
            amounts.Add(amount);
        }
    }

    public IReadOnlyList<string> Steps => steps;

    /// <summary>The number after each event; it stays where it was once the story is impossible.</summary>
    public IReadOnlyList<int> Amounts => amounts;

    /// <summary>More is lost than there is.</summary>
    public bool IsImpossible { get; private set; }

    /// <summary>Every operation is one that a single step can do.</summary>
    public bool IsSimple { get; private set; } = true;

    public string Answer => IsImpossible ? "impossible" : amount.ToString(CultureInfo.InvariantCulture);

    private void Tell(StoryEvent story, string hero, string friend)
    {
        var (first, second) = (story.First, story.Second);
        switch (story.Kind)
        {
            case EventKind.Start:
                amount = first;
                steps.Add($"{hero} has {amount}");
                break;
            case EventKind.StartBoxes:
                Step(first, '*', second, $"{hero} has ");
                break;
            case EventKind.StartMore or EventKind.StartFewer or EventKind.StartTimes:
                steps.Add($"{friend} has {first}");
                Step(first, story.Kind switch { EventKind.StartMore => '+', EventKind.StartFewer => '-', _ => '*' }, second, $"{hero} has ");
                break;
            case EventKind.GainBoxes:
                var before = amount;
                Step(first, '*', second);
                Step(before, '+', amount);
                break;
            case EventKind.Half:
                Step(amount, '/', 2);
                break;
            default:
                Step(amount, story.Kind switch { EventKind.Gain => '+', EventKind.Lose => '-', EventKind.Times => '*', _ => '/' }, first);
                break;
        }
    }

    private void Step(int left, char op, int right, string opening = "")
    {
        if (op == '-' && left < right)
        {
            IsImpossible = true;
            steps.Add($"{left} - {right} < 0");
            return;
        }

        IsSimple &= ArithmeticSteps.IsSingleStep(op, left, right);
        steps.Add(opening + ArithmeticSteps.Write(left, op, right));
        amount = op switch { '+' => left + right, '-' => left - right, '*' => left * right, _ => left / right };
    }
}
