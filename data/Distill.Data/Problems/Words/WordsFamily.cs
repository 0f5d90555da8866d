using Distill.Data.Verification;

namespace Distill.Data.Problems.Words;

/// <summary>
/// Word problems of 2, 3 and 4 steps (levels 1 to 3) about somebody who gets, gives and shares things. From level 2 on half of them carry
/// sentences that do not matter; in about one of fourteen more is given away than there is, and the answer is <c>impossible</c>.
/// </summary>
internal sealed class WordsFamily : ProblemFamily<StoryContent>
{
    private const int ImpossibleShare = 7;
    private const int DistractorShare = 50;
    private const int MaxTries = 200;

    public override string Name => "words";

    public override string Domain => "words";

    public override IVerifier Verifier { get; } = new IntegerVerifier();

    protected override StoryContent? Draw(RandomSource random, int level)
    {
        var impossible = random.Chance(ImpossibleShare);
        if (random.FirstOf(MaxTries, source => DrawEvents(source, level + 1, impossible)) is not { } events)
            return null;
        var people = random.Sample(Vocabulary.Names, 2);
        var content = new StoryContent(events, people[0], people[1], random.Pick(Vocabulary.Objects), random.Below(12), []);
        var distractors = level > 1 && random.Chance(DistractorShare) ? random.Between(1, level - 1) : 0;
        for (var i = 0; i < distractors; i++)
            content = WithDistractor(content, random);
        return content;
    }

    protected override StoryContent? Perturb(StoryContent original, TwinKind kind, RandomSource random)
    {
        return kind switch
        {
            TwinKind.Irrelevant => WithDistractor(original, random),
            TwinKind.Renamed => Renamed(original, random),
            TwinKind.Unsatisfiable when !original.Solve().IsImpossible => Overdrawn(original, random),
            _ => null,
        };
    }

    protected override string Signature(StoryContent content) =>
        "words:" + string.Join(' ', content.Events.Select(story => $"{story.Kind}.{story.First}.{story.Second}"));

    protected override Wording Word(StoryContent content)
    {
        var solution = content.Solve();
        return new Wording(StoryWording.Text(content), string.Join(" ; ", solution.Steps), solution.Answer);
    }

    protected override string DrawFact(RandomSource random)
    {
        var kind = random.Pick([EventKind.Start, EventKind.StartBoxes, EventKind.Gain, EventKind.Lose, EventKind.Times, EventKind.Share]);
        if (kind == EventKind.Lose && random.Chance(20))
        {
            var few = random.Between(2, 40);
            return $"{few} - {random.Between(few + 1, few + 20)} < 0";
        }

        return kind switch
        {
            EventKind.Start => $"{random.Pick(Vocabulary.Names)} has {random.Between(2, 60)}",
            EventKind.StartBoxes => $"{random.Pick(Vocabulary.Names)} has {Arithmetic.ArithmeticSteps.DrawFact(random, "+-*")}",
            EventKind.Gain => Arithmetic.ArithmeticSteps.DrawFact(random, "+"),
            EventKind.Lose => Arithmetic.ArithmeticSteps.DrawFact(random, "-"),
            EventKind.Times => Arithmetic.ArithmeticSteps.DrawFact(random, "*"),
            _ => Arithmetic.ArithmeticSteps.DrawFact(random, "/"),
        };
    }

    private static IReadOnlyList<StoryEvent>? DrawEvents(RandomSource random, int steps, bool impossible)
    {
        if (StoryDraw.Kinds(random, steps) is not { } kinds)
            return null;
        return (impossible ? DrawLoss(random, kinds) : -1) is { } tooMuch ? StoryDraw.Numbers(random, kinds, tooMuch) : null;
    }

    private static int? DrawLoss(RandomSource random, IReadOnlyList<EventKind> kinds)
    {
        var losses = Enumerable.Range(0, kinds.Count).Where(i => kinds[i] == EventKind.Lose).ToList();
        return losses.Count == 0 ? null : random.Pick(losses);
    }

    private static StoryContent WithDistractor(StoryContent content, RandomSource random)
    {
        var before = random.Between(0, content.Events.Count);
        return content with { Distractors = [.. content.Distractors, (before, StoryWording.Distractor(random, content, before))] };
    }

    private StoryContent? Renamed(StoryContent original, RandomSource random)
    {
        var kinds = original.Events.Select(story => story.Kind).ToList();
        var tooMuch = original.Solve().IsImpossible ? DrawLoss(random, kinds) : -1;
        if (tooMuch is not { } at || StoryDraw.Numbers(random, kinds, at) is not { } events)
            return null;
        // The phrasing stays; sentences that do not matter are told about the new people.
        var people = random.Sample(Vocabulary.Names.Where(name => name != original.Hero).ToList(), 2);
        var renamed = original with
        {
            Events = events.Select((story, i) => story with { Phrasing = original.Events[i].Phrasing }).ToList(),
            Hero = people[0],
            Friend = people[1],
            Thing = random.Pick(Vocabulary.Objects.Where(thing => thing != original.Thing).ToList()),
            Distractors = [],
        };
        // The same numbers with other names would only ask whether names are read.
        return Signature(renamed) == Signature(original)
            ? null
            : original.Distractors.Aggregate(renamed, (content, _) => WithDistractor(content, random));
    }

    /// <summary>One loss made too large, or the last event turned into such a loss.</summary>
    private static StoryContent? Overdrawn(StoryContent original, RandomSource random)
    {
        var kinds = original.Events.Select(story => story.Kind).ToList();
        var at = DrawLoss(random, kinds) ?? kinds.Count - 1;
        var before = new StorySolution(original.Events.Take(at).ToList(), original.Hero, original.Friend).Amounts[^1];
        var events = original.Events.ToArray();
        events[at] = new StoryEvent(EventKind.Lose, random.Between(before + 1, before + 20), 0, events[at].Phrasing);
        return events[at].First <= 99 ? original with { Events = events } : null;
    }
}
