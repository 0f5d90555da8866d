using Distill.Verification;

namespace Distill.Data.Problems.Families.Syllogisms;

/// <summary>
/// Categorical statements about 4, 5 or 6 groups of people (levels 1 to 3): does a conclusion follow, or what follows about two groups?
/// Every group has members. What follows is decided by going through all kinds of people, and where more than one strongest conclusion
/// would follow the problem is not drawn. In about one of fourteen the statements contradict each other.
/// </summary>
internal sealed class SyllogismsFamily : ProblemFamily<SyllogismContent>
{
    private const string Rule = "there are some of each group .";
    private const int ContradictionShare = 7;
    private const int MaxTries = 600;

    private static readonly string[] Names =
        ["artists", "bakers", "chefs", "dancers", "farmers", "guards", "hunters", "judges", "knitters", "lawyers"];

    public override string Name => "syllogisms";

    public override string Domain => "logic";

    public override IVerifier Verifier { get; } = new SyllogismsVerifier();

    protected override IReadOnlyList<int> Ample { get; } = [1_000, 2_000, 2_000];

    protected override SyllogismContent? Draw(RandomSource random, int level)
    {
        var contradicts = random.Chance(ContradictionShare);
        var wanted = DrawAnswer(random);
        var content = random.FirstOf(
            MaxTries, source => DrawContent(source, groups: level + 3, extra: level == 3 ? source.Below(2) : 0, wanted));
        return content is not null && contradicts ? random.FirstOf(MaxTries, source => Broken(content, source)) : content;
    }

    protected override SyllogismContent? Perturb(SyllogismContent original, TwinKind kind, RandomSource random) => kind switch
    {
        TwinKind.Renamed => original with { Groups = random.Sample(Names, original.Groups.Count) },
        TwinKind.Irrelevant => original with { Surroundings = original.Surroundings.WithClause(random, []) },
        TwinKind.Unsatisfiable when Entailment.AreConsistent(original.Premises, original.Groups.Count) => Broken(original, random),
        _ => null,
    };

    protected override string Signature(SyllogismContent content)
    {
        var question = content.Asks
            ? content.Conclusion.ToRelation("?")
            : new Relation("?", true, content.Conclusion.First, content.Conclusion.Second);
        return "syllogisms:" + CanonicalForm.Of(
            [.. content.Groups.Select(_ => "group")], [.. content.Premises.Select(premise => premise.ToRelation()), question]);
    }

    protected override Wording Word(SyllogismContent content)
    {
        var sentences = content.Premises.Select((premise, i) => $"{Sentence(content.Groups, premise, content.IsTurned[i])} .");
        var question = content.Asks
            ? $"does it follow that {Sentence(content.Groups, content.Conclusion, isTurned: false)} ?"
            : $"what follows about {content.Groups[content.Conclusion.First]} and {content.Groups[content.Conclusion.Second]} ?";
        var answer = Answer(content);
        return new Wording(
            content.Surroundings.Around($"{Rule} {string.Join(' ', sentences)} {question}"), WitnessTrace.Write(content, answer), answer);
    }

    protected override string DrawFact(RandomSource random)
    {
        while (true)
        {
            var premise = DrawPremise(random, 0, 1);
            var content = new SyllogismContent([premise], [], random.Sample(Names, 2), false, premise, Surroundings.None);
            if (premise.IsUniversal)
            {
                var isTurned = random.Chance(50);
                return $"{Sentence(content.Groups, premise, isTurned)} . {WitnessTrace.Line(content, (random.Below(2), true)).Text}";
            }
        }
    }

    /// <summary>Each answer is wanted as often as the others of its question.</summary>
    private static string DrawAnswer(RandomSource random) => random.Chance(50)
        ? random.Pick([SyllogismsVerifier.Yes, SyllogismsVerifier.No])
        : random.Pick([SyllogismsVerifier.Nothing, "all ", "no ", "some ", "some not"]);

    private static SyllogismContent? DrawContent(RandomSource random, int groups, int extra, string wanted)
    {
        var asks = wanted is SyllogismsVerifier.Yes or SyllogismsVerifier.No;
        // A tree over the groups, so that what is said hangs together, and perhaps one more statement.
        var premises = Enumerable.Range(1, groups - 1).Select(group => DrawPremise(random, group, random.Below(group))).ToList();
        for (var i = 0; i < extra; i++)
        {
            var pair = random.Sample(Enumerable.Range(0, groups).ToList(), 2);
            premises.Add(DrawPremise(random, pair[0], pair[1]));
        }

        random.Shuffle(premises);
        var about = random.Sample(Enumerable.Range(0, groups).ToList(), 2);
        var content = new SyllogismContent(
            premises,
            [.. premises.Select(_ => random.Chance(30))],
            random.Sample(Names, groups),
            asks,
            new Categorical((Quantity)random.Below(4), about[0], about[1]),
            Surroundings.Draw(random, []));
        return IsGood(content) && Entailment.AreConsistent(premises, groups) && IsWanted(Answer(content), wanted) ? content : null;
    }

    private static bool IsWanted(string answer, string wanted) => wanted switch
    {
        "some not" => answer.Contains(" not ", StringComparison.Ordinal),
        "some " => answer.StartsWith(wanted, StringComparison.Ordinal) && !answer.Contains(" not ", StringComparison.Ordinal),
        "all " or "no " => answer.StartsWith(wanted, StringComparison.Ordinal),
        _ => answer == wanted,
    };

    /// <summary>No two statements about the same two groups, the conclusion about two that no statement joins, and one answer.</summary>
    private static bool IsGood(SyllogismContent content)
    {
        if (!AreApart(content))
            return false;
        if (content.Asks)
            return true;
        Entailment.Strongest(
            content.Premises, content.Conclusion.First, content.Conclusion.Second, content.Groups.Count, out var isUnique);
        return isUnique;
    }

    private static bool AreApart(SyllogismContent content)
    {
        var pairs = content.Premises.Append(content.Conclusion)
            .Select(premise => (Math.Min(premise.First, premise.Second), Math.Max(premise.First, premise.Second)));
        return pairs.Distinct().Count() > content.Premises.Count;
    }

    /// <summary>One more statement, seldom about two groups that another one is about: then the contradiction is in plain sight.</summary>
    private static SyllogismContent? Broken(SyllogismContent original, RandomSource random)
    {
        var pair = random.Sample(Enumerable.Range(0, original.Groups.Count).ToList(), 2);
        var at = random.Below(original.Premises.Count + 1);
        var content = original with
        {
            Premises = [.. original.Premises.Take(at), DrawPremise(random, pair[0], pair[1]), .. original.Premises.Skip(at)],
            IsTurned = [.. original.IsTurned.Take(at), random.Chance(30), .. original.IsTurned.Skip(at)],
        };
        return (AreApart(content) || random.Chance(3)) && !Entailment.AreConsistent(content.Premises, original.Groups.Count)
            ? content
            : null;
    }

    private static Categorical DrawPremise(RandomSource random, int first, int second)
    {
        if (random.Chance(50))
            (first, second) = (second, first);
        // Universal statements are what conclusions are made of.
        return new Categorical(
            random.Pick([Quantity.All, Quantity.All, Quantity.All, Quantity.No, Quantity.No, Quantity.Some, Quantity.SomeNot]),
            first,
            second);
    }

    private static string Answer(SyllogismContent content)
    {
        var (premises, groups) = (content.Premises, content.Groups.Count);
        if (!Entailment.AreConsistent(premises, groups))
            return SyllogismsVerifier.Contradiction;
        if (content.Asks)
            return Entailment.Follows(premises, content.Conclusion, groups) ? SyllogismsVerifier.Yes : SyllogismsVerifier.No;
        return Entailment.Strongest(premises, content.Conclusion.First, content.Conclusion.Second, groups, out _) is { } strongest
            ? Sentence(content.Groups, strongest, isTurned: false)
            : SyllogismsVerifier.Nothing;
    }

    /// <param name="isTurned">The other way to say the same; there is none for "some … are not".</param>
    private static string Sentence(IReadOnlyList<string> groups, Categorical statement, bool isTurned)
    {
        var (first, second) = (groups[statement.First], groups[statement.Second]);
        return (statement.Quantity, isTurned) switch
        {
            (Quantity.All, false) => $"all {first} are {second}",
            (Quantity.All, true) => $"only {second} are {first}",
            (Quantity.No, false) => $"no {first} are {second}",
            (Quantity.No, true) => $"no {second} are {first}",
            (Quantity.Some, false) => $"some {first} are {second}",
            (Quantity.Some, true) => $"some {second} are {first}",
            _ => $"some {first} are not {second}",
        };
    }
}

/// <param name="Premises">In the order of the text.</param>
/// <param name="IsTurned">By premise: said the other way round.</param>
/// <param name="Groups">By number.</param>
/// <param name="Asks">Whether the conclusion follows; else what follows about its two groups.</param>
internal sealed record SyllogismContent(
    IReadOnlyList<Categorical> Premises,
    IReadOnlyList<bool> IsTurned,
    IReadOnlyList<string> Groups,
    bool Asks,
    Categorical Conclusion,
    Surroundings Surroundings);
