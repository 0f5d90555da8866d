using System.Globalization;
using Distill.Data.Verification;
using Distill.Verification;

namespace Distill.Data.Problems.Families;

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

    protected override IReadOnlyList<int> Ample { get; } = [10_000, 10_000, 10_000];

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
        if (random.Chance(60))
            return DrawEventFact(random);
        var kind = random.Pick([EventKind.Start, EventKind.StartBoxes, EventKind.Gain, EventKind.Lose, EventKind.Times, EventKind.Share]);
        if (kind == EventKind.Lose && random.Chance(20))
        {
            var few = random.Between(2, 40);
            return $"{few} - {random.Between(few + 1, few + 20)} < 0";
        }

        return kind switch
        {
            EventKind.Start => $"{random.Pick(Vocabulary.Names)} has {random.Between(2, 60)}",
            EventKind.StartBoxes => $"{random.Pick(Vocabulary.Names)} has {ArithmeticSteps.DrawFact(random, "+-*")}",
            EventKind.Gain => ArithmeticSteps.DrawFact(random, "+"),
            EventKind.Lose => ArithmeticSteps.DrawFact(random, "-"),
            EventKind.Times => ArithmeticSteps.DrawFact(random, "*"),
            _ => ArithmeticSteps.DrawFact(random, "/"),
        };
    }

    /// <summary>
    /// A beginning, or one event after it, and what it does to the number; sometimes with a sentence between that does not matter.
    /// </summary>
    private static string DrawEventFact(RandomSource random)
    {
        EventKind[] kinds = random.Chance(20) ? [StoryDraw.Start(random)] : [EventKind.Start, StoryDraw.Change(random)];
        var tooMuch = kinds[^1] == EventKind.Lose && random.Chance(15) ? 1 : -1;
        var events = random.FirstOf(MaxTries, source => StoryDraw.Numbers(source, kinds, tooMuch))
            ?? throw new InvalidOperationException($"No numbers for {string.Join(" and ", kinds)}.");
        var people = random.Sample(Vocabulary.Names, 2);
        var content = new StoryContent(events, people[0], people[1], random.Pick(Vocabulary.Objects), 0, []);
        if (kinds.Length > 1 && random.Chance(30))
            content = content with { Distractors = [(1, StoryWording.Distractor(random, content, 1))] };
        return $"{StoryWording.Story(content)} {string.Join(" ; ", content.Solve().Steps.Skip(kinds.Length - 1))}";
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

/// <summary>Stories in plain language. H hero, F friend, T thing, 1 and 2 the numbers of the event.</summary>
internal static class StoryWording
{
    private static readonly string[] Questions =
        ["how many T does H have now ?", "how many T does H have left ?", "how many T does H have at the end ?"];

    private static readonly string[] OfTheHero = ["H also has N T .", "H buys N T .", "H loses N T .", "F gives H N T ."];

    private static readonly string[] OfAnother = ["H has N T .", "H finds N T .", "H loses N T .", "H likes T ."];

    public static string Text(StoryContent content) =>
        string.Join(' ', [.. Sentences(content), Fill(Questions[content.Question % Questions.Length], content, null)]);

    /// <summary>Without the question.</summary>
    public static string Story(StoryContent content) => string.Join(' ', Sentences(content));

    private static IEnumerable<string> Sentences(StoryContent content)
    {
        for (var i = 0; i <= content.Events.Count; i++)
        {
            foreach (var (_, sentence) in content.Distractors.Where(distractor => distractor.Before == i))
                yield return sentence;
            if (i < content.Events.Count)
                yield return Fill(Sentence(content, content.Events[i]), content, content.Events[i]);
        }
    }

    /// <summary>A sentence about another person, or, once the story has begun, about the hero and another thing.</summary>
    /// <param name="before">The event that it comes before.</param>
    public static string Distractor(RandomSource random, StoryContent content, int before)
    {
        var number = random.Between(2, 20).ToString(CultureInfo.InvariantCulture);
        if (before > 0 && random.Chance(60))
        {
            var thing = random.Pick(Vocabulary.Objects.Where(thing => thing != content.Thing).ToList());
            return Replace(random.Pick(OfTheHero), content.Hero, content.Friend, thing, number);
        }

        var other = random.Pick(Vocabulary.Names.Where(name => name != content.Hero && name != content.Friend).ToList());
        return Replace(random.Pick(OfAnother), other, content.Friend, content.Thing, number);
    }

    private static string Sentence(StoryContent content, StoryEvent story)
    {
        // A friend whose number is known gives nothing: it could be more than the friend has.
        var counted = content.Events[0].Kind is EventKind.StartMore or EventKind.StartFewer or EventKind.StartTimes;
        var choices = Sentences(story.Kind).Where(choice => !counted || !choice.StartsWith("F gives", StringComparison.Ordinal)).ToArray();
        return choices[story.Phrasing % choices.Length];
    }

    private static string[] Sentences(EventKind kind) => kind switch
    {
        EventKind.Start => ["H has 1 T .", "H starts with 1 T .", "at first H has 1 T ."],
        EventKind.StartBoxes => ["H has 1 boxes with 2 T in each box .", "H starts with 1 boxes of 2 T each ."],
        EventKind.StartMore => ["F has 1 T . H has 2 more T than F ."],
        EventKind.StartFewer => ["F has 1 T . H has 2 fewer T than F ."],
        EventKind.StartTimes => ["F has 1 T . H has 2 times as many T as F ."],
        EventKind.Gain => ["H finds 1 more T .", "H buys 1 T .", "F gives 1 T to H .", "then H gets 1 more T ."],
        EventKind.Lose => ["H loses 1 T .", "H gives 1 T to F .", "H sells 1 T .", "then F takes 1 T from H ."],
        EventKind.GainBoxes => ["H buys 1 boxes with 2 T in each box .", "F gives 1 boxes of 2 T each to H ."],
        EventKind.Times => ["now H has 1 times as many T .", "then H has 1 times as many T as before ."],
        EventKind.Half => ["H loses half of the T .", "H gives half of the T to F ."],
        EventKind.Share => ["H puts the T into 1 equal bags and keeps one bag .", "H puts the T into 1 equal boxes and keeps one box ."],
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Unknown kind of event."),
    };

    private static string Fill(string template, StoryContent content, StoryEvent? story)
    {
        var words = template.Split(' ').Select(word => word switch
        {
            "H" => content.Hero,
            "F" => content.Friend,
            "T" => content.Thing,
            "1" => story!.First.ToString(CultureInfo.InvariantCulture),
            "2" => story!.Second.ToString(CultureInfo.InvariantCulture),
            _ => word,
        });
        // Two times as many is said "twice".
        return string.Join(' ', words).Replace(" 2 times as", " twice as", StringComparison.Ordinal);
    }

    private static string Replace(string template, string hero, string friend, string thing, string number)
    {
        var words = template.Split(' ').Select(word => word switch { "H" => hero, "F" => friend, "T" => thing, "N" => number, _ => word });
        return string.Join(' ', words);
    }
}
