namespace Distill.Data.Problems.Words;

/// <summary>Draws the events of a story: which, and with what numbers.</summary>
internal static class StoryDraw
{
    private static readonly EventKind[] Starts =
        [EventKind.Start, EventKind.Start, EventKind.Start, EventKind.StartBoxes, EventKind.StartMore, EventKind.StartFewer, EventKind.StartTimes];

    private static readonly EventKind[] Changes =
    [
        EventKind.Gain, EventKind.Gain, EventKind.Gain, EventKind.Lose, EventKind.Lose, EventKind.Lose,
        EventKind.GainBoxes, EventKind.Times, EventKind.Half, EventKind.Share,
    ];

    /// <returns>Kinds whose operations add up to <paramref name="steps"/>, or null for a dead end.</returns>
    public static IReadOnlyList<EventKind>? Kinds(RandomSource random, int steps)
    {
        var kinds = new List<EventKind> { random.Pick(Starts) };
        while (Steps(kinds) < steps)
            kinds.Add(random.Pick(Changes));
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
