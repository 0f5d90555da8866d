using System.Globalization;
using Distill.Data.Verification;
using Distill.Verification;

namespace Distill.Data.Problems.Families.Sequences;

/// <summary>
/// What comes next? Steps of one size (level 1), second differences, or a multiple and something more (level 2), sums of two, two rules in
/// turn, two sequences in one (level 3). Drawn only when all rules of <see cref="SequenceRules"/> that fit agree; in about one problem of
/// fourteen none of them fits, and the answer is <c>impossible</c>.
/// </summary>
internal sealed class SequencesFamily : ProblemFamily<SequenceContent>
{
    private const int ImpossibleShare = 7;
    private const int MaxTries = 300;
    private const int Largest = 999;
    private const string Impossible = "impossible";

    private static readonly string[] Phrasings =
        ["what comes next : {0} ?", "find the next number : {0} .", "the numbers are {0} . what is the next one ?"];

    public override string Name => "sequences";

    public override string Domain => "arithmetic";

    public override IVerifier Verifier { get; } = new IntegerVerifier();

    protected override IReadOnlyList<int> Ample { get; } = [1_000, 5_000, 5_000];

    protected override SequenceContent? Draw(RandomSource random, int level)
    {
        var impossible = random.Chance(ImpossibleShare);
        var phrasing = random.Pick(Phrasings);
        var surroundings = Surroundings.Draw(random, []);
        if (random.FirstOf(MaxTries, source => DrawContent(source, level)) is not { } content)
            return null;
        content = content with { Phrasing = phrasing, Surroundings = surroundings };
        return impossible ? random.FirstOf(MaxTries, source => Broken(content, source)) : content;
    }

    protected override SequenceContent? Perturb(SequenceContent original, TwinKind kind, RandomSource random) => kind switch
    {
        TwinKind.Renamed => Renumbered(original, random),
        TwinKind.Irrelevant => original with { Surroundings = original.Surroundings.WithClause(random, []) },
        TwinKind.Unsatisfiable when SequenceRules.Next(original.Terms).Count == 1 => Broken(original, random),
        _ => null,
    };

    protected override string Signature(SequenceContent content) => $"sequences:{string.Join(',', content.Terms)}";

    protected override Wording Word(SequenceContent content)
    {
        var items = new List<string>();
        var answer = Impossible;
        foreach (var trial in SequenceRules.Try(content.Terms))
        {
            items.Add(trial.Next is null ? $"{trial.Look} no" : $"{trial.Look} ok");
            if (trial.Next is not { } next)
                continue;
            items.AddRange(trial.Steps);
            answer = next.ToString(CultureInfo.InvariantCulture);
            break;
        }

        var terms = string.Join(" , ", content.Terms);
        return new Wording(
            content.Surroundings.Around(content.Phrasing.Replace("{0}", terms, StringComparison.Ordinal)),
            string.Join(" ; ", items),
            answer);
    }

    protected override string DrawFact(RandomSource random)
    {
        var terms = Terms(random.Between(1, 40), 4, term => term + random.Between(1, 12)).ToList();
        return $"{string.Join(" , ", terms)} : {SequenceRules.Try(terms).First().Look}";
    }

    private static SequenceContent? DrawContent(RandomSource random, int level)
    {
        var rule = level switch { 1 => 0, 2 => random.Between(1, 2), _ => random.Between(3, 5) };
        return Checked(new SequenceContent(rule, DrawTerms(random, rule), "", Surroundings.None));
    }

    private static IReadOnlyList<long> DrawTerms(RandomSource random, int rule)
    {
        var (first, step) = (random.Between(1, 40), random.Between(2, 25));
        switch (rule)
        {
            case 0:
                var (start, down) = random.Chance(30) ? (first + (6L * step), -step) : (first, step);
                return Terms(start, 5, term => term + down);
            case 1:
                long difference = random.Between(-6, 12), second = random.Between(1, 8) * (random.Chance(25) ? -1 : 1);
                return Terms(first, 6, term => term + (difference += second) - second);
            case 2:
                var (factor, more) = (random.Between(2, 4), random.Between(-6, 9));
                return Terms(random.Between(1, 9), 5, term => (term * factor) + more);
            case 3:
                List<long> sums = [random.Between(1, 9), random.Between(1, 12)];
                while (sums.Count < 7)
                    sums.Add(sums[^2] + sums[^1]);
                return sums;
            case 4:
                var (times, plus, turn) = (random.Between(2, 3), random.Between(1, 9), random.Below(2));
                return Terms(random.Between(1, 9), 7, term => turn++ % 2 == 0 ? term * times : term + plus);
            default:
                var other = random.Between(1, 60);
                var otherStep = random.Between(1, 12) * (random.Chance(50) ? -1 : 1);
                step *= random.Chance(30) ? -1 : 1;
                return [.. Enumerable.Range(0, 8).Select(i => i % 2 == 0 ? first + (i / 2L * step) : other + (i / 2L * otherStep))];
        }
    }

    private static IReadOnlyList<long> Terms(long first, int count, Func<long, long> next)
    {
        List<long> terms = [first];
        while (terms.Count < count)
            terms.Add(next(terms[^1]));
        return terms;
    }

    /// <summary>Drawn by one rule, and by no other way to something else; no number too large or below zero.</summary>
    private static SequenceContent? Checked(SequenceContent content)
    {
        var trials = SequenceRules.Try(content.Terms).ToList();
        return SequenceRules.Next(content.Terms) is [>= 0 and <= Largest]
            && content.Terms.All(term => term is >= 0 and <= Largest)
            && trials.FindIndex(trial => trial.Next is not null) == content.Rule ? content : null;
    }

    private static SequenceContent? Renumbered(SequenceContent original, RandomSource random)
    {
        if (SequenceRules.Next(original.Terms).Count > 0)
            return Checked(original with { Terms = DrawTerms(random, original.Rule) });
        return Checked(original with { Terms = DrawTerms(random, original.Rule) }) is { } whole ? Broken(whole, random) : null;
    }

    /// <summary>One term changed so that no rule fits.</summary>
    private static SequenceContent? Broken(SequenceContent original, RandomSource random)
    {
        var terms = original.Terms.ToArray();
        var at = random.Below(terms.Length);
        terms[at] += random.Between(1, 5) * (random.Chance(50) ? 1 : -1);
        return terms[at] is >= 0 and <= Largest && SequenceRules.Next(terms).Count == 0 ? original with { Terms = terms } : null;
    }
}

/// <param name="Rule">Which rule it was drawn by, by its place in <see cref="SequenceRules"/>.</param>
/// <param name="Phrasing">The question with <c>{0}</c> for the terms.</param>
internal sealed record SequenceContent(int Rule, IReadOnlyList<long> Terms, string Phrasing, Surroundings Surroundings);
