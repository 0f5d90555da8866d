using System.Globalization;
using Distill.Data.Verification;
using Distill.Storage;
using Distill.Verification;

namespace Distill.Data.Problems.Families;

/// <summary>
/// Reach a target with 2, 3 or 4 numbers (levels 1 to 3), each used exactly once, by <c>+ - *</c> and parentheses. One problem in ten
/// is impossible, and saying so is then the right answer.
/// </summary>
internal sealed class CountdownFamily : ProblemFamily<CountdownContent>
{
    public const string Impossible = "impossible";

    private const int LargestTarget = 99;
    private const int ImpossibleShare = 10;
    private const int MaxTries = 200;

    /// <summary>A search that is longer than this does not fit beside the question into a small model's context.</summary>
    private const int MaxTraceLength = 300;

    private static readonly string[] Phrasings =
        ["use {0} once each to make {1} .", "make {1} from {0} .", "make {1} with {0} .", "the numbers are {0} . make {1} ."];

    public override string Name => "countdown";

    public override string Domain => "countdown";

    public override IVerifier Verifier { get; } = new CountdownVerifier();

    protected override IReadOnlyList<int> Ample { get; } = [4_000, 4_000, 4_000];

    protected override CountdownContent? Draw(RandomSource random, int level) =>
        DrawContent(random, level + 1, random.Chance(ImpossibleShare), Surroundings.Draw(random, []));

    /// <summary>Fewer than a hundred other targets come up in thousands of draws; each is searched once.</summary>
    protected override Func<RandomSource, CountdownContent?> Perturbation(CountdownContent original, TwinKind kind)
    {
        if (kind != TwinKind.Unsatisfiable)
            return base.Perturbation(original, kind);
        var targets = Reachability.Of(original.Numbers).Contains(original.Target) ? Targets(original.Numbers, impossible: true) : [];
        var known = new Dictionary<int, CountdownContent?>();
        return random =>
        {
            if (targets.Count == 0)
                return null;
            var target = random.Pick(targets);
            if (!known.TryGetValue(target, out var content))
                known[target] = content = Checked(original with { Target = target });
            return content;
        };
    }

    protected override CountdownContent? Perturb(CountdownContent original, TwinKind kind, RandomSource random) => kind switch
    {
        TwinKind.Irrelevant => original with { Surroundings = original.Surroundings.WithClause(random, []) },
        TwinKind.Renamed => Renumbered(original, random),
        _ => null,
    };

    protected override string Signature(CountdownContent content) => CountdownSignature.Write(content.Numbers, content.Target);

    protected override Wording Word(CountdownContent content)
    {
        var (steps, answer) = CountdownSearch.Run(content.Numbers, content.Target);
        var question = content.Phrasing
            .Replace("{0}", string.Join(' ', content.Numbers), StringComparison.Ordinal)
            .Replace("{1}", content.Target.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        return new Wording(content.Surroundings.Around(question), steps, answer);
    }

    protected override string DrawFact(RandomSource random)
    {
        var kind = random.Below(4);
        var largest = kind < 2 ? 20 : 12; // as in problems of two numbers, and of three
        var (a, b) = (random.Between(1, largest), random.Between(1, largest));
        var target = random.Between(1, LargestTarget);
        return kind switch
        {
            0 => Combination.All(Combination.Of(a), Combination.Of(b))[random.Below(3)].Steps[0],
            1 => CountdownSearch.Trial(
                Combination.All(Combination.Of(a), Combination.Of(b))[random.Below(3)], random.Chance(50) ? null : target),
            2 => $"{target} {a} need {string.Join(' ', Combination.Needs(target, a).Select(NeedText))}",
            _ => $"{a} {b} give {string.Join(' ', Combination.All(Combination.Of(a), Combination.Of(b)).Select(value => value.Value))}",
        };
    }

    private static string NeedText(int? need) => need?.ToString(CultureInfo.InvariantCulture) ?? "no";

    private static CountdownContent? DrawContent(RandomSource random, int count, bool impossible, Surroundings surroundings)
    {
        var phrasing = random.Pick(Phrasings);
        return random.FirstOf(MaxTries, source =>
        {
            var numbers = DrawNumbers(source, count, impossible);
            return DrawTarget(source, numbers, impossible) is { } target
                ? Checked(new CountdownContent(numbers, target, phrasing, surroundings))
                : null;
        });
    }

    private static int[] DrawNumbers(RandomSource random, int count, bool impossible)
    {
        // Fewer numbers come from a larger range, so that there are enough different problems. Only few different numbers out of four
        // make a search for nothing that is short enough; solvable problems have such numbers too, so that they prove nothing.
        var largest = count switch { 2 => 20, 3 => 12, _ => 9 };
        var repeat = count == 4 && (impossible || random.Chance(25)) ? 75 : 12;
        var numbers = new int[count];
        for (var i = 0; i < count; i++)
            numbers[i] = i > 0 && random.Chance(repeat) ? numbers[i - 1] : random.Between(1, largest);
        random.Shuffle(numbers);
        return numbers;
    }

    private CountdownContent? Renumbered(CountdownContent original, RandomSource random)
    {
        var possible = Reachability.Of(original.Numbers).Contains(original.Target);
        if (DrawContent(random, original.Numbers.Count, !possible, Surroundings.None) is not { } other)
            return null;
        // The same numbers in another order are no other numbers.
        return Signature(other) == Signature(original) ? null : original with { Numbers = other.Numbers, Target = other.Target };
    }

    private static int? DrawTarget(RandomSource random, IReadOnlyList<int> numbers, bool impossible) =>
        Targets(numbers, impossible) is { Count: > 0 } targets ? random.Pick(targets) : null;

    private static List<int> Targets(IReadOnlyList<int> numbers, bool impossible)
    {
        var reachable = Reachability.Of(numbers);
        var largest = (int)Math.Min(LargestTarget, reachable.Max());
        return Enumerable.Range(1, largest).Where(target => reachable.Contains(target) != impossible).ToList();
    }

    private static CountdownContent? Checked(CountdownContent content)
    {
        var (steps, _) = CountdownSearch.Run(content.Numbers, content.Target);
        // Every word and every digit is about one token.
        return steps.Split(' ').Sum(word => char.IsAsciiDigit(word[0]) ? word.Length + 1 : 1) <= MaxTraceLength ? content : null;
    }
}

/// <param name="Numbers">In the order of the text, which is the order of the search.</param>
/// <param name="Phrasing">The question with <c>{0}</c> for the numbers and <c>{1}</c> for the target.</param>
internal sealed record CountdownContent(IReadOnlyList<int> Numbers, int Target, string Phrasing, Surroundings Surroundings);

/// <summary>The signature of a countdown problem: sorted numbers and the target, e.g. <c>countdown:3 5 8=16</c>.</summary>
internal static class CountdownSignature
{
    private const string Prefix = "countdown:";
    private const int MaxNumbers = 5;
    private const int MaxLength = 60;

    public static string Write(IEnumerable<int> numbers, int target) =>
        string.Create(CultureInfo.InvariantCulture, $"{Prefix}{string.Join(' ', numbers.Order())}={target}");

    /// <returns>Null when the text is not such a signature, or has more numbers than can be searched.</returns>
    public static (IReadOnlyList<int> Numbers, int Target)? Read(string signature)
    {
        if (signature.Length > MaxLength || !signature.StartsWith(Prefix, StringComparison.Ordinal))
            return null;
        var halves = signature[Prefix.Length..].Split('=');
        if (halves.Length != 2 || Number(halves[1]) is not { } target)
            return null;
        var numbers = halves[0].Split(' ').Select(Number).ToArray();
        return numbers.Length <= MaxNumbers && numbers.All(number => number is not null)
            ? (numbers.Select(number => number!.Value).ToArray(), target)
            : null;
    }

    private static int? Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < 10_000 ? number : null;
}

/// <summary>
/// Accepts every expression that uses each given number exactly once and reaches the target, and <c>impossible</c> exactly when an
/// exhaustive search finds none. Reads numbers and target from the problem's signature.
/// </summary>
internal sealed class CountdownVerifier : IVerifier
{
    public string Name => "countdown";

    public int Version => 1 + AnswerExtraction.Version;

    /// <exception cref="ArgumentException">The problem's signature is not that of a countdown problem.</exception>
    public Verdict Verify(string? answer, IVerifiable problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        var (numbers, target) = CountdownSignature.Read(problem.Signature)
            ?? throw new ArgumentException(
                $"A problem has no countdown signature: {Printable.Quote(problem.Signature)}.", nameof(problem));
        if (AnswerText.Understood(answer, Readable) is not { } text)
            return Verdict.Undecidable;
        if (ExpressionReader.Read(text) is not { } expression)
            return Reachability.Of(numbers).Contains(target) ? Verdict.Incorrect : Verdict.Correct;
        var right = expression.Value == target && expression.Numbers.Order().SequenceEqual(numbers.Order());
        return right ? Verdict.Correct : Verdict.Incorrect;
    }

    /// <summary>All ways to the target are one answer: the problem itself says what it asks for. The others differ by their text.</summary>
    public string? ClassOf(string? answer, IVerifiable problem)
    {
        if (AnswerText.Understood(answer, Readable) is not { } text || text == CountdownFamily.Impossible)
            return AnswerText.Understood(answer, Readable);
        return Verify(answer, problem) == Verdict.Correct ? "target" : text;
    }

    private static string? Readable(string text) =>
        text == CountdownFamily.Impossible || ExpressionReader.Read(text) is not null ? text : null;
}
