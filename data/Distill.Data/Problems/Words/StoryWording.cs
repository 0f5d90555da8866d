using System.Globalization;

namespace Distill.Data.Problems.Words;

/// <summary>Stories in plain language. H hero, F friend, T thing, 1 and 2 the numbers of the event.</summary>
internal static class StoryWording
{
    private static readonly string[] Questions = ["how many T does H have now ?", "how many T does H have left ?", "how many T does H have at the end ?"];

    public static string Text(StoryContent content)
    {
        var sentences = new List<string>();
        for (var i = 0; i <= content.Events.Count; i++)
        {
            sentences.AddRange(content.Distractors.Where(distractor => distractor.Before == i).Select(distractor => distractor.Sentence));
            var template = i < content.Events.Count ? Sentence(content, content.Events[i]) : Questions[content.Question % Questions.Length];
            sentences.Add(Fill(template, content, i < content.Events.Count ? content.Events[i] : null));
        }

        return string.Join(' ', sentences);
    }

    /// <summary>A sentence about another person, or, once the story has begun, about the hero and another thing.</summary>
    /// <param name="before">The event that it comes before.</param>
    public static string Distractor(RandomSource random, StoryContent content, int before)
    {
        var number = random.Between(2, 20).ToString(CultureInfo.InvariantCulture);
        if (before > 0 && random.Chance(60))
        {
            var thing = random.Pick(Vocabulary.Objects.Where(thing => thing != content.Thing).ToList());
            return Replace(random.Pick(["H also has N T .", "H buys N T .", "H loses N T .", "F gives H N T ."]), content.Hero, content.Friend, thing, number);
        }

        var other = random.Pick(Vocabulary.Names.Where(name => name != content.Hero && name != content.Friend).ToList());
        return Replace(random.Pick(["H has N T .", "H finds N T .", "H loses N T .", "H likes T ."]), other, content.Friend, content.Thing, number);
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

    private static string Replace(string template, string hero, string friend, string thing, string number) =>
        string.Join(' ', template.Split(' ').Select(word => word switch { "H" => hero, "F" => friend, "T" => thing, "N" => number, _ => word }));
}
