using Distill.Data.Verification;
using Distill.Verification;

namespace Distill.Data.Problems.Families;

/// <summary>
/// Knights always tell the truth, knaves always lie: who is what? 2, 3 or 4 people (levels 1 to 3). There is one solution, or (in about
/// one problem of twelve) none, and <c>contradiction</c> is the answer.
/// </summary>
internal sealed class KnightsFamily : ProblemFamily<KnightsContent>
{
    private const string Rule = "knights tell the truth and knaves lie .";
    private const int ContradictionShare = 8;
    private const int MaxTries = 200;

    private static readonly string[] Questions = ["who is what ?", "who is a knight and who is a knave ?", "what is each of them ?"];

    public override string Name => "knights";

    public override string Domain => "logic";

    public override IVerifier Verifier { get; } = new KnightsVerifier();

    protected override IReadOnlyList<int> Ample { get; } = [40, 5_000, 5_000];

    protected override KnightsContent? Draw(RandomSource random, int level)
    {
        var people = level + 1;
        var statements = level < 3 ? random.Between(people, people + 1) : people;
        var worlds = random.Chance(ContradictionShare) ? 0 : 1;
        return random.FirstOf(MaxTries, source => DrawContent(source, people, statements, worlds));
    }

    protected override KnightsContent? Perturb(KnightsContent original, TwinKind kind, RandomSource random)
    {
        var (people, statements) = (original.Names.Count, original.Claims.Count);
        return kind switch
        {
            TwinKind.Irrelevant => original with { Surroundings = original.Surroundings.WithClause(random, original.Names) },
            TwinKind.Renamed => DrawContent(random, people, statements, original.Worlds.Count),
            TwinKind.Unsatisfiable when original.Worlds.Count == 1 => Broken(original, random),
            _ => null,
        };
    }

    /// <summary>Statements and people are the things, so that neither the order of the statements nor that of a pair matters.</summary>
    protected override string Signature(KnightsContent content)
    {
        var people = content.Names.Count;
        var relations = content.Claims.SelectMany((claim, i) => claim.IsAboutTwo
            ? [Of($"{claim.Kind}", i, claim.Speaker), Of("of", i, claim.First), Of("of", i, claim.Second)]
            : new[] { Of($"{claim.Kind}", i, claim.Speaker), Of("of", i, claim.First) });
        return "knights:" + CanonicalForm.Of(
            [.. content.Names.Select(_ => "person"), .. content.Claims.Select(_ => "statement")], [.. relations]);

        Relation Of(string says, int claim, int person) => new(says, IsSymmetric: false, people + claim, person);
    }

    protected override Wording Word(KnightsContent content)
    {
        var sentences = content.Claims.Select(claim => Sentence(content.Names, claim));
        var steps = CaseTrace.Write(content) ?? throw new InvalidOperationException("The content was drawn without checking its trace.");
        var worlds = content.Worlds;
        var answer = worlds.Count == 0
            ? "contradiction"
            : string.Join(" , ", content.Names.Select((name, person) => $"{name} {Claim.Word(worlds[0], person)}"));
        return new Wording(content.Surroundings.Around($"{Rule} {string.Join(' ', sentences)} {content.Question}"), steps, answer);
    }

    /// <summary>What is known of some people, a statement, and what follows from the two.</summary>
    protected override string DrawFact(RandomSource random)
    {
        while (true)
        {
            var people = random.Between(2, 3);
            var names = random.Sample(Vocabulary.Names, people);
            var claim = DrawClaim(random, people, random.Below(people));
            var content = new KnightsContent([claim], names, "", Surroundings.None);
            var known = random.Sample(Enumerable.Range(0, people).ToList(), random.Between(1, people));
            var knights = random.Below(1 << people);
            if (CaseTrace.Step(content, known.Aggregate(0, (mask, person) => mask | (1 << person)), knights) is { } step)
                return $"{string.Join(" , ", known.Select(person => $"{names[person]} {Claim.Word(knights, person)}"))} ; "
                    + $"{Sentence(names, claim)} {step}";
        }
    }

    private static KnightsContent? DrawContent(RandomSource random, int people, int statements, int wantedWorlds)
    {
        var claims = new List<Claim>();
        // Where everybody speaks once, the order of speaking is random; with fewer people somebody speaks twice.
        var speakers = Enumerable.Range(0, statements).Select(i => i % people).ToList();
        random.Shuffle(speakers);
        foreach (var speaker in speakers)
            claims.Add(DrawClaim(random, people, speaker));
        var names = random.Sample(Vocabulary.Names, people);
        var content = new KnightsContent(ByAppearance(claims), names, random.Pick(Questions), Surroundings.Draw(random, names));
        return IsGood(content, wantedWorlds) ? content : null;
    }

    private static KnightsContent? Broken(KnightsContent original, RandomSource random)
    {
        var claims = original.Claims.ToArray();
        var at = random.Below(claims.Length);
        claims[at] = DrawClaim(random, original.Names.Count, claims[at].Speaker);
        // The names keep their persons, so the text differs in one statement only.
        var content = original with { Claims = claims };
        return IsGood(content, wantedWorlds: 0) && ByAppearance(claims).SequenceEqual(claims) ? content : null;
    }

    private static bool IsGood(KnightsContent content, int wantedWorlds) =>
        content.Claims.Distinct().Count() == content.Claims.Count
        && content.Claims.SelectMany(claim => claim.People).Distinct().Count() == content.Names.Count
        && content.Worlds.Count == wantedWorlds
        && CaseTrace.Write(content) is not null;

    private static Claim DrawClaim(RandomSource random, int people, int speaker)
    {
        var others = Enumerable.Range(0, people).Where(person => person != speaker).ToList();
        if (random.Chance(45))
            return new Claim(speaker, random.Pick([ClaimKind.Knight, ClaimKind.Knave]), random.Pick(others), 0);
        var pair = random.Sample(Enumerable.Range(0, people).ToList(), 2);
        return new Claim(
            speaker, random.Pick([ClaimKind.BothKnights, ClaimKind.BothKnaves, ClaimKind.Same, ClaimKind.Different]), pair[0], pair[1]);
    }

    private static List<Claim> ByAppearance(IReadOnlyList<Claim> claims)
    {
        var order = claims.SelectMany(claim => claim.People).Distinct().ToList();
        return claims.Select(claim => new Claim(
            order.IndexOf(claim.Speaker),
            claim.Kind,
            order.IndexOf(claim.First),
            claim.IsAboutTwo ? order.IndexOf(claim.Second) : 0)).ToList();
    }

    private static string Sentence(IReadOnlyList<string> names, Claim claim)
    {
        var (first, second) = (names[claim.First], names[claim.Second]);
        return $"{names[claim.Speaker]} says " + claim.Kind switch
        {
            ClaimKind.Knight => $"{first} is a knight .",
            ClaimKind.Knave => $"{first} is a knave .",
            ClaimKind.BothKnights => $"{first} and {second} are knights .",
            ClaimKind.BothKnaves => $"{first} and {second} are knaves .",
            ClaimKind.Same => $"{first} and {second} are the same kind .",
            _ => $"{first} and {second} are different kinds .",
        };
    }
}

/// <param name="Claims">In the order of the text.</param>
/// <param name="Names">By person; persons are numbered by their first appearance.</param>
internal sealed record KnightsContent(IReadOnlyList<Claim> Claims, IReadOnlyList<string> Names, string Question, Surroundings Surroundings)
{
    /// <summary>All consistent worlds, one bit per person, set for knights.</summary>
    public IReadOnlyList<int> Worlds =>
        [.. Enumerable.Range(0, 1 << Names.Count).Where(knights => Claims.All(claim => claim.IsPossible(knights)))];
}

/// <summary>
/// Accepts exactly the reference's assignment, in any order (<c>ben knave , anna knight</c>, <c>anna is a knight and ben is a knave</c>),
/// or the word <c>contradiction</c> where that is the reference. Everybody must be named exactly once.
/// </summary>
internal sealed class KnightsVerifier : IVerifier
{
    private const string Contradiction = "contradiction";

    public string Name => "knights";

    public int Version => 1 + AnswerExtraction.Version;

    public Verdict Verify(string? answer, IVerifiable problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        if (ClassOf(answer, problem) is not { } given)
            return Verdict.Undecidable;
        return given == Sorted(problem.ReferenceAnswer) ? Verdict.Correct : Verdict.Incorrect;
    }

    public string? ClassOf(string? answer, IVerifiable problem) => AnswerText.Understood(answer, Sorted);

    /// <returns>Who is what in the order of the names, or that it is a contradiction; null when it says neither.</returns>
    private static string? Sorted(string text)
    {
        if (text == Contradiction)
            return text;
        if (Assignment(text) is not { } given)
            return null;
        var sorted = given.OrderBy(pair => pair.Name, StringComparer.Ordinal);
        return string.Join(", ", sorted.Select(pair => $"{pair.Name} {(pair.Knight ? "knight" : "knave")}"));
    }

    /// <returns>(name, is a knight) pairs, or null when the text is not a list of them.</returns>
    private static HashSet<(string Name, bool Knight)>? Assignment(string text)
    {
        var words = text.Split([' ', ',', ';', '.', ':'], StringSplitOptions.RemoveEmptyEntries)
            .Where(word => word is not ("is" or "a" or "and")).ToArray();
        if (words.Length == 0 || words.Length % 2 != 0)
            return null;
        var assignment = new HashSet<(string, bool)>();
        for (var i = 0; i < words.Length; i += 2)
        {
            if (!words[i].All(char.IsAsciiLetter) || words[i] is "knight" or "knave" || words[i + 1] is not ("knight" or "knave"))
                return null;
            if (!assignment.Add((words[i], words[i + 1] == "knight")))
                return null;
        }

        return assignment;
    }
}
