using System.Globalization;
using Distill.Verification;

namespace Distill.Data.Problems.Families.Zebra;

/// <summary>
/// Grid puzzles: who lives in which house with what? Three houses and pets (level 1), pets and drinks (level 2), four houses with both
/// (level 3). The clues leave exactly one arrangement, found by going through all of them, and the worked solution needs every clue; in
/// about one problem of twelve they contradict each other, and <c>contradiction</c> is the answer.
/// </summary>
internal sealed class ZebraFamily : ProblemFamily<ZebraContent>
{
    private const int ContradictionShare = 8;
    private const int MaxTries = 60;
    private const int MaxSteps = 260;

    /// <summary>What predictions of a remote teacher's prompts take a problem for, less an idle sentence.</summary>
    private const int MaxText = 470;

    private static readonly string[] Pets = ["cat", "dog", "fish", "bird", "frog", "horse"];
    private static readonly string[] Drinks = ["tea", "milk", "juice", "water", "coffee", "soda"];

    // Clues that say much come more often: the text has room for few.
    private static readonly ClueKind[] Kinds =
    [
        ClueKind.At, ClueKind.At, ClueKind.NotAt, ClueKind.Same, ClueKind.Same, ClueKind.Same, ClueKind.NotSame, ClueKind.LeftOf,
        ClueKind.JustLeftOf, ClueKind.JustLeftOf, ClueKind.NextTo, ClueKind.NextTo,
    ];

    private static readonly string[] Questions = ["who lives where ?", "who lives in which house ?", "who lives where with what ?"];

    public override string Name => "zebra";

    public override string Domain => "logic";

    public override IVerifier Verifier { get; } = new ZebraVerifier();

    protected override IReadOnlyList<int> Ample { get; } = [400, 2_000, 1_000];

    protected override ZebraContent? Draw(RandomSource random, int level)
    {
        var contradicts = random.Chance(ContradictionShare);
        var (houses, categories) = (level == 3 ? 4 : 3, level == 1 ? 2 : 3);
        var puzzle = random.FirstOf(MaxTries, source => DrawContent(source, houses, categories));
        return puzzle is not null && contradicts ? random.FirstOf(MaxTries, source => Broken(puzzle, source)) : puzzle;
    }

    protected override ZebraContent? Perturb(ZebraContent original, TwinKind kind, RandomSource random) => kind switch
    {
        TwinKind.Renamed => Sized(original with
        {
            Words = DrawWords(random, original.Surroundings.FreeNames, original.Houses, original.Words.Count),
        }),
        TwinKind.Irrelevant => original with { Surroundings = original.Surroundings.WithClause(random, original.Words[0]) },
        // A trace that took no wrong turn ends in a contradiction only where there is one.
        TwinKind.Unsatisfiable when ZebraTrace.Write(original)!.Houses is not null => Broken(original, random),
        _ => null,
    };

    protected override string Signature(ZebraContent content)
    {
        var things = content.Houses * content.Words.Count;
        // Categories are things too, so that what belongs together stays together under any renaming.
        string[] kinds =
            [.. Enumerable.Repeat("thing", things), .. content.Words.Select(_ => "category")];
        Relation[] statements =
        [
            .. content.Clues.Select(clue => clue.ToRelation()),
            .. Enumerable.Range(0, things).Select(thing => new Relation("in", false, thing, things + (thing / content.Houses))),
        ];
        return $"zebra:{content.Houses} {CanonicalForm.Of(kinds, statements)}";
    }

    protected override Wording Word(ZebraContent content)
    {
        var trace = ZebraTrace.Write(content) ?? throw new InvalidOperationException("The content was drawn without checking its trace.");
        return new Wording(content.Surroundings.Around(Text(content)), trace.Steps, Answer(content, trace.Houses));
    }

    protected override string DrawFact(RandomSource random)
    {
        while (true)
        {
            var words = DrawWords(random, Vocabulary.Names, 3, 3);
            var content = new ZebraContent(3, words, [DrawClue(random, 3, 9)], "", Surroundings.None);
            if (ZebraTrace.First(content) is { Length: > 0 } step)
                return $"houses 1 2 3 ; {step}";
        }
    }

    /// <summary>
    /// Clues that are true of one arrangement, until no other is left and the worked solution finds it; then without those that it can do
    /// without.
    /// </summary>
    private static ZebraContent? DrawContent(RandomSource random, int houses, int categories)
    {
        var worlds = ZebraWorlds.All(houses, categories).ToList();
        var solution = random.Pick(worlds);
        var clues = new List<Clue>();
        while (worlds.Count > 1)
        {
            var clue = DrawClue(random, houses, houses * categories);
            if (ZebraWorlds.Holds(clue, solution) && worlds.RemoveAll(world => !ZebraWorlds.Holds(clue, world)) > 0)
                clues.Add(clue);
        }

        var words = DrawWords(random, Vocabulary.Names, houses, categories);
        var content = new ZebraContent(houses, words, clues, random.Pick(Questions), Surroundings.Draw(random, words[0]));
        return ZebraTrace.Settles(content) ? Reduced(content, random) : null;
    }

    private static ZebraContent? Reduced(ZebraContent content, RandomSource random)
    {
        List<Clue> clues = [.. content.Clues];
        random.Shuffle(clues);
        foreach (var clue in clues.ToArray())
        {
            List<Clue> others = [.. clues.Where(other => other != clue)];
            if (ZebraTrace.Settles(content with { Clues = others }))
                clues = others;
        }

        var reduced = content with { Clues = clues };
        return ZebraWorlds.Fitting(content.Houses, content.Words.Count, clues).Count == 1 ? Sized(reduced) : null;
    }

    private static ZebraContent? Broken(ZebraContent puzzle, RandomSource random)
    {
        var clues = puzzle.Clues.ToArray();
        clues[random.Below(clues.Length)] = DrawClue(random, puzzle.Houses, puzzle.Houses * puzzle.Words.Count);
        var content = puzzle with { Clues = clues };
        return clues.Select(clue => (clue.Kind, clue.First, clue.Second)).Distinct().Count() == clues.Length
            && ZebraTrace.Write(content) is { Houses: null } ? Sized(content) : null;
    }

    private static ZebraContent? Sized(ZebraContent content) =>
        Text(content).Length <= MaxText && ZebraTrace.Write(content)!.Steps.Count(unit => unit == ' ') < MaxSteps ? content : null;

    private static Clue DrawClue(RandomSource random, int houses, int things)
    {
        var first = random.Below(things);
        var kind = random.Pick(Kinds);
        if (kind is ClueKind.At or ClueKind.NotAt)
            return new Clue(kind, first, random.Below(houses), false);
        var second = random.Below(things - 1);
        second += second >= first ? 1 : 0;
        // Two of a category are never in one house, and saying so or its contrary would be odd.
        if (kind is ClueKind.Same or ClueKind.NotSame && first / houses == second / houses)
            kind = random.Pick([ClueKind.LeftOf, ClueKind.JustLeftOf, ClueKind.NextTo]);
        return new Clue(kind, first, second, kind is ClueKind.LeftOf or ClueKind.JustLeftOf && random.Chance(50));
    }

    private static IReadOnlyList<IReadOnlyList<string>> DrawWords(
        RandomSource random, IReadOnlyList<string> names, int houses, int categories) =>
        [.. new[] { names, Pets, Drinks }.Take(categories).Select(words => random.Sample(words, houses))];

    private static string Text(ZebraContent content)
    {
        var numbers = string.Join(' ', Enumerable.Range(1, content.Houses));
        string[] introduced = ["people", "pets", "drinks"];
        var lists = content.Words.Select((words, i) => $"{introduced[i]} : {string.Join(" , ", words)} .");
        return $"houses {numbers} stand from left to right . {string.Join(' ', lists)} "
            + $"{string.Join(' ', content.Clues.Select(clue => Sentence(content, clue)))} {content.Question}";
    }

    private static string Sentence(ZebraContent content, Clue clue)
    {
        var first = Who(content, clue.First);
        if (clue.IsAboutHouse)
        {
            var verb = clue.Kind == ClueKind.At ? "lives" : "does not live";
            return string.Create(CultureInfo.InvariantCulture, $"{first} {verb} in house {clue.Second + 1} .");
        }

        var second = Who(content, clue.Second);
        return clue.Kind switch
        {
            ClueKind.Same => $"{first} is {second} .",
            ClueKind.NotSame => $"{first} is not {second} .",
            ClueKind.LeftOf => clue.IsTurned ? $"{second} lives right of {first} ." : $"{first} lives left of {second} .",
            ClueKind.JustLeftOf => clue.IsTurned ? $"{second} lives just right of {first} ." : $"{first} lives just left of {second} .",
            _ => $"{first} lives next to {second} .",
        };
    }

    private static string Who(ZebraContent content, int thing) => (thing / content.Houses) switch
    {
        0 => content.Word(thing),
        1 => $"the {content.Word(thing)} owner",
        _ => $"the {content.Word(thing)} drinker",
    };

    private static string Answer(ZebraContent content, IReadOnlyList<int>? houses)
    {
        if (houses is null)
            return ZebraVerifier.Contradiction;
        return string.Join(" , ", Enumerable.Range(0, content.Houses).Select(house =>
        {
            var things = Enumerable.Range(0, houses.Count).Where(thing => houses[thing] == house).Select(content.Word);
            return $"{house + 1} {string.Join(' ', things)}";
        }));
    }
}
