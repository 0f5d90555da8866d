using System.Globalization;

namespace Distill.Data.Problems.Families;

/// <summary>What a sentence of a story does to the number it is about.</summary>
internal enum EventKind
{
    /// <summary>The hero has this many.</summary>
    Start,

    /// <summary>The hero has boxes with so many in each.</summary>
    StartBoxes,

    /// <summary>Somebody has a number, and the hero so many more.</summary>
    StartMore,

    /// <summary>Somebody has a number, and the hero so many fewer.</summary>
    StartFewer,

    /// <summary>Somebody has a number, and the hero so many times as many.</summary>
    StartTimes,
    Gain,
    Lose,

    /// <summary>Gains boxes with so many in each: two steps.</summary>
    GainBoxes,
    Times,
    Half,

    /// <summary>Divides into equal bags and keeps one.</summary>
    Share,
}

/// <summary>One event with its numbers; <paramref name="Second"/> is 0 where one number says all.</summary>
/// <param name="Phrasing">Which of the sentences for this kind; any number, taken modulo their count.</param>
internal sealed record StoryEvent(EventKind Kind, int First, int Second, int Phrasing)
{
    /// <summary>How many operations it takes.</summary>
    public int Steps => Kind switch { EventKind.Start => 0, EventKind.GainBoxes => 2, _ => 1 };
}

/// <param name="Events">The first is a start.</param>
/// <param name="Friend">The other person in the events.</param>
/// <param name="Question">Which of the questions.</param>
/// <param name="Distractors">Whole sentences that do not matter, each before the event of that number (or the question).</param>
internal sealed record StoryContent(
    IReadOnlyList<StoryEvent> Events,
    string Hero,
    string Friend,
    string Thing,
    int Question,
    IReadOnlyList<(int Before, string Sentence)> Distractors)
{
    public StorySolution Solve() => new(Events, Hero, Friend);
}

/// <summary>Draws the events of a story: which, and with what numbers.</summary>
internal static class StoryDraw
{
    private static readonly EventKind[] Starts =
    [
        EventKind.Start, EventKind.Start, EventKind.Start,
        EventKind.StartBoxes, EventKind.StartMore, EventKind.StartFewer, EventKind.StartTimes,
    ];

    private static readonly EventKind[] Changes =
    [
        EventKind.Gain, EventKind.Gain, EventKind.Gain, EventKind.Lose, EventKind.Lose, EventKind.Lose,
        EventKind.GainBoxes, EventKind.Times, EventKind.Half, EventKind.Share,
    ];

    public static EventKind Start(RandomSource random) => random.Pick(Starts);

    public static EventKind Change(RandomSource random) => random.Pick(Changes);

    /// <returns>Kinds whose operations add up to <paramref name="steps"/>, or null for a dead end.</returns>
    public static IReadOnlyList<EventKind>? Kinds(RandomSource random, int steps)
    {
        var kinds = new List<EventKind> { Start(random) };
        while (Steps(kinds) < steps)
            kinds.Add(Change(random));
        return Steps(kinds) == steps && kinds.Count > 1 ? kinds : null;
    }

    /// <summary>Numbers for given kinds.</summary>
    /// <param name="tooMuch">The index of a loss that takes more than there is, or −1.</param>
    /// <returns>Null for a dead end.</returns>
    public static IReadOnlyList<StoryEvent>? Numbers(RandomSource random, IReadOnlyList<EventKind> kinds, int tooMuch)
    {
        var events = new List<StoryEvent>();
        foreach (var kind in kinds)
        {
            var amount = new StorySolution(events, "", "") is { Amounts: [.., var last] } ? last : 0;
            var (first, second) = events.Count == tooMuch
                ? (random.Between(amount + 1, amount + 20), 0)
                : Numbers(random, kind, amount);
            events.Add(new StoryEvent(kind, first, second, random.Below(12)));
        }

        var solution = new StorySolution(events, "", "");
        var fits = solution.IsSimple && solution.IsImpossible == (tooMuch >= 0) && events.All(story => story.First <= 99);
        return fits ? events : null;
    }

    private static (int First, int Second) Numbers(RandomSource random, EventKind kind, int amount) => kind switch
    {
        EventKind.Start => (random.Between(2, random.Chance(70) ? 30 : 60), 0),
        EventKind.StartBoxes => (random.Between(2, 9), random.Between(2, 9)),
        EventKind.StartMore or EventKind.StartFewer => (random.Between(3, 40), random.Between(2, 20)),
        EventKind.StartTimes => (random.Between(2, 20), random.Between(2, 4)),
        EventKind.Gain => (random.Between(2, random.Chance(80) ? 20 : 50), 0),
        EventKind.Lose => (random.Between(2, random.Chance(50) ? 20 : Math.Max(2, amount)), 0),
        EventKind.GainBoxes => (random.Between(2, 6), random.Between(2, 9)),
        EventKind.Half => (0, 0),
        _ => (random.Between(2, 5), 0),
    };

    private static int Steps(IEnumerable<EventKind> kinds) => kinds.Sum(kind => new StoryEvent(kind, 0, 0, 0).Steps);
}

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
                var op = story.Kind switch { EventKind.StartMore => '+', EventKind.StartFewer => '-', _ => '*' };
                Step(first, op, second, $"{hero} has ");
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
