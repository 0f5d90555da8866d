using System.Text.RegularExpressions;
using Distill.Data.Problems;

namespace Distill.Data.Tests.Problems.Oracles;

internal sealed partial class WordsOracle : Oracle
{
    public override bool Accepts(string text, string answer)
    {
        var story = new StoryReader(text);
        return answer == "impossible"
            ? story.Overdrawn is not null
            : story.Overdrawn is null && story.Amounts[^1] == StepText.Number(answer);
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

        int[] results =
            [.. items.Select(item => Result(item) ?? throw new InvalidDataException($"{problem.Id}: '{item}' is not true."))];
        // A friend's number is told to be used at once.
        for (var i = 1; i < items.Length; i++)
        {
            var (before, number) = (items[i - 1], results[i - 1]);
            (before.Contains('=', StringComparison.Ordinal) || before == $"{story.Hero} has {number}" || Left(items[i]) == number)
                .ShouldBeTrue($"{problem.Id}: {before}");
        }

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

    public override bool IsTrue(string fact)
    {
        if (fact.LastIndexOf(" . ", StringComparison.Ordinal) is var end and >= 0)
            return IsEvent(fact[..end], fact[(end + 3)..]);
        return TooMuch().Match(fact) is { Success: true, Groups: var groups }
            ? StepText.Number(groups[1].Value) < StepText.Number(groups[2].Value)
            : Result(fact) is not null;
    }

    /// <summary>The first sentence that is not idle says whom the story is about, and its last what the steps must end with.</summary>
    private static bool IsEvent(string story, string steps)
    {
        var items = StepText.Items(steps);
        // The hero of a beginning is named by the step, else by the first sentence.
        var hero = Owner().Match(items[^1]) is { Success: true, Value: var owner }
            ? owner.Split(' ')[0]
            : Opening().Replace(story, "").Split(' ')[0];
        var thing = Thing().Match(story).Groups[1].Value;
        var reader = new StoryReader($"{story} . how many {thing} does {hero} have now ?");
        return reader.Overdrawn is { } overdrawn
            ? items[^1].EndsWith($"{overdrawn.Had} - {overdrawn.Lost} < 0", StringComparison.Ordinal)
            : Result(items[^1]) == reader.Amounts[^1];
    }

    [GeneratedRegex("^at first ")]
    private static partial Regex Opening();

    [GeneratedRegex("[0-9]+ (?:boxes (?:with|of) [0-9]+ )?([a-z]+)")]
    private static partial Regex Thing();

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

/// <summary>Acts out a word problem sentence by sentence: who has how many of what. Knows nothing of events or distractors.</summary>
internal sealed class StoryReader
{
    private static readonly Regex Opening = new("^(?:at first|then|now) ");

    private static readonly Regex Ending = new(" [.?](?: |$)");

    private static readonly Regex Question = new("^how many ([a-z]+) does ([a-z]+) have (?:now|left|at the end)$");

    /// <summary>P a person, N a number, T a thing.</summary>
    private static readonly (Regex Pattern, Action<StoryReader, string[]> Act)[] Rules =
    [.. new (string Pattern, Action<StoryReader, string[]> Act)[]
    {
        ("^(P) (?:has|starts with|also has) (N) (T)$", (story, g) => story.Set(g[1], g[3], Number(g[2]))),
        ("^(P) (?:has|starts with) (N) boxes (?:with|of) (N) (T) (?:in each box|each)$",
            (story, g) => story.Set(g[1], g[4], Number(g[2]) * Number(g[3]))),
        ("^(P) has (N) more (T) than (P)$", (story, g) => story.Set(g[1], g[3], story.owned[(g[4], g[3])] + Number(g[2]))),
        ("^(P) has (N) fewer (T) than (P)$", (story, g) => story.Lose(g[1], g[3], story.owned[(g[4], g[3])], Number(g[2]))),
        ("^(P) has (twice|N times) as many (T) as (?!before)(P)$",
            (story, g) => story.Set(g[1], g[3], story.owned[(g[4], g[3])] * Times(g[2]))),
        ("^(P) has (twice|N times) as many (T)(?: as before)?$", (story, g) => story.Change(g[1], g[3], had => had * Times(g[2]))),
        ("^(P) (?:finds|buys|gets) (N)(?: more)? (T)$", (story, g) => story.Change(g[1], g[3], had => had + Number(g[2]))),
        ("^(P) buys (N) boxes with (N) (T) in each box$",
            (story, g) => story.Change(g[1], g[4], had => had + (Number(g[2]) * Number(g[3])))),
        ("^P gives (N) boxes of (N) (T) each to (P)$",
            (story, g) => story.Change(g[4], g[3], had => had + (Number(g[1]) * Number(g[2])))),
        ("^P gives (P) (N) (T)$", (story, g) => story.Change(g[1], g[3], had => had + Number(g[2]))),
        ("^(P) gives (N) (T) to (P)$", (story, g) => story.Move(g[1], g[4], g[3], Number(g[2]))),
        ("^(P) takes (N) (T) from (P)$", (story, g) => story.Move(g[4], g[1], g[3], Number(g[2]))),
        ("^(P) (?:loses|sells) (N) (T)$", (story, g) => story.Take(g[1], g[3], Number(g[2]))),
        ("^(P) (?:loses|gives) half of the (T)(?: to P)?$", (story, g) => story.Change(g[1], g[2], had => Divide(had, 2))),
        ("^(P) puts the (T) into (N) equal (?:bags and keeps one bag|boxes and keeps one box)$",
            (story, g) => story.Change(g[1], g[2], had => Divide(had, Number(g[3])))),
        ("^P likes T$", (_, _) => { }),
    }.Select(rule => (Compile(rule.Pattern), rule.Act))];

    private readonly Dictionary<(string Person, string Thing), int> owned = [];
    private readonly List<int> amounts = [];
    private readonly string thing;

    public StoryReader(string text)
    {
        var sentences = Ending.Split(text).Where(sentence => sentence.Length > 0).ToArray();
        var question = Question.Match(sentences[^1]);
        question.Success.ShouldBeTrue(text);
        (thing, Hero) = (question.Groups[1].Value, question.Groups[2].Value);
        foreach (var sentence in sentences[..^1])
        {
            Tell(Opening.Replace(sentence, ""));
            if (Overdrawn is not null)
                return;
        }
    }

    public string Hero { get; }

    /// <summary>The number asked for after every sentence about it.</summary>
    public IReadOnlyList<int> Amounts => amounts;

    /// <summary>What there was and what was taken, when that is more.</summary>
    public (int Had, int Lost)? Overdrawn { get; private set; }

    private void Tell(string sentence)
    {
        foreach (var (pattern, act) in Rules)
        {
            if (pattern.Match(sentence) is not { Success: true } match)
                continue;
            act(this, match.Groups.Values.Select(group => group.Value).ToArray());
            return;
        }

        throw new InvalidDataException($"Nobody understands '{sentence}'.");
    }

    private static Regex Compile(string pattern) => new(pattern
        .Replace("N", "[0-9]+", StringComparison.Ordinal)
        .Replace("P", "[a-z]+", StringComparison.Ordinal)
        .Replace("T", "(?!boxes)[a-z]+", StringComparison.Ordinal));

    private void Lose(string person, string what, int had, int amount)
    {
        if (amount > had && person == Hero && what == thing)
            Overdrawn ??= (had, amount);
        else
            Set(person, what, had - amount);
    }

    private void Set(string person, string what, int amount)
    {
        owned[(person, what)] = amount;
        if (person == Hero && what == thing)
            amounts.Add(amount);
    }

    /// <summary>Nothing happens to a number that the story has not told.</summary>
    private void Change(string person, string what, Func<int, int> change)
    {
        if (owned.TryGetValue((person, what), out var had))
            Set(person, what, change(had));
    }

    private void Take(string person, string what, int amount)
    {
        if (owned.TryGetValue((person, what), out var had))
            Lose(person, what, had, amount);
    }

    private void Move(string from, string to, string what, int amount)
    {
        Take(from, what, amount);
        Change(to, what, had => had + amount);
    }

    private static int Divide(int had, int by) =>
        had % by == 0 ? had / by : throw new InvalidDataException($"{had} cannot be divided by {by}.");

    private static int Times(string text) => text == "twice" ? 2 : Number(text.Split(' ')[0]);

    private static int Number(string text) => StepText.Number(text);
}
