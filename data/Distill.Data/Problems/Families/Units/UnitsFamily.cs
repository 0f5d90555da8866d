using Distill.Verification;

namespace Distill.Data.Problems.Families.Units;

/// <summary>
/// Unit conversion with exact results: to a neighbouring unit (level 1), over two units, or of two amounts that are added (level 2), rates
/// such as kilometers per hour, or fractions (level 3). In about one of fourteen the units measure different things, and the answer is
/// <c>impossible</c>.
/// </summary>
internal sealed class UnitsFamily : ProblemFamily<UnitsContent>
{
    private const int ImpossibleShare = 7;
    private const int MaxTries = 300;
    private const int Largest = 10_000_000;
    private const int LargestDenominator = 60;

    private static readonly string[] Phrasings = ["how many T are A ?", "convert A to T .", "write A in T ."];

    public override string Name => "units";

    public override string Domain => "arithmetic";

    public override IVerifier Verifier { get; } = new UnitsVerifier();

    protected override IReadOnlyList<int> Ample { get; } = [1_000, 5_000, 5_000];

    protected override UnitsContent? Draw(RandomSource random, int level)
    {
        var impossible = random.Chance(ImpossibleShare);
        return random.FirstOf(MaxTries, source => DrawContent(source, level)) is not { } content
            ? null
            : impossible ? random.FirstOf(MaxTries, source => Misasked(content, source)) : content;
    }

    protected override UnitsContent? Perturb(UnitsContent original, TwinKind kind, RandomSource random) => kind switch
    {
        TwinKind.Renamed => Renumbered(original, random),
        TwinKind.Irrelevant => original with { Surroundings = original.Surroundings.WithClause(random, []) },
        TwinKind.Unsatisfiable when original.Amounts[0].Measure.Fits(original.Target) => Misasked(original, random),
        _ => null,
    };

    protected override string Signature(UnitsContent content)
    {
        var amounts = content.Amounts.OrderByDescending(amount => amount.Measure.Unit.Rung)
            .Select(amount => $"{amount.Value.ToString().Replace(" ", "", StringComparison.Ordinal)} {amount.Measure.Text}");
        return $"units:{string.Join(" + ", amounts)}>{content.Target.Text}";
    }

    protected override Wording Word(UnitsContent content)
    {
        var trace = UnitsTrace.Write(content);
        var amounts = string.Join(" and ", content.Amounts.Select(amount => $"{amount.Value} {amount.Measure.Text}"));
        var question = content.Phrasing.Replace("A", amounts, StringComparison.Ordinal)
            .Replace("T", content.Target.Text, StringComparison.Ordinal);
        return new Wording(content.Surroundings.Around(question), trace.Steps, trace.Value?.ToString() ?? UnitsVerifier.Impossible);
    }

    protected override string DrawFact(RandomSource random)
    {
        var unit = random.Pick(DrawLadder(random).Units.Skip(1).ToList());
        var number = random.Between(2, 30);
        return random.Chance(50)
            ? $"{UnitsTrace.Rung(unit)} ; {number} * {unit.OfNextSmaller} = {number * unit.OfNextSmaller}"
            : $"{UnitsTrace.Rung(unit)} ; {number * unit.OfNextSmaller} / {unit.OfNextSmaller} = {number}";
    }

    private static UnitsContent? DrawContent(RandomSource random, int level)
    {
        var (amounts, target) = level switch
        {
            1 => DrawSingle(random, rungs: 1),
            2 => random.Chance(50) ? DrawSingle(random, rungs: 2) : DrawSum(random, fractions: false),
            _ => random.Chance(60) ? DrawRate(random) : DrawSum(random, fractions: true),
        };
        return amounts.Count == 0 ? null : Checked(
            new UnitsContent(amounts, target, random.Pick(Phrasings), Surroundings.Draw(random, [])), level);
    }

    /// <summary>Results are not too long, and whole at level 1.</summary>
    private static UnitsContent? Checked(UnitsContent content, int level) => UnitsTrace.Write(content).Value is { } value
        && value.Numerator <= Largest && value.Denominator <= (level == 1 ? 1 : LargestDenominator) ? content : null;

    private static (IReadOnlyList<Amount> Amounts, Measure Target) DrawSingle(RandomSource random, int rungs)
    {
        var units = DrawLadder(random).Units;
        if (units.Count <= rungs)
            return ([], new Measure(units[0], null));
        var low = random.Below(units.Count - rungs);
        var (from, to) = random.Chance(50) ? (units[low], units[low + rungs]) : (units[low + rungs], units[low]);
        return ([new Amount(DrawNumber(random, from, to), new Measure(from, null))], new Measure(to, null));
    }

    private static (IReadOnlyList<Amount> Amounts, Measure Target) DrawSum(RandomSource random, bool fractions)
    {
        var units = DrawLadder(random).Units;
        var low = random.Below(units.Count - 1);
        var (larger, smaller) = (units[low + 1], units[low]);
        Fraction first = random.Between(2, 40);
        if (fractions)
            first += new Fraction(random.Between(1, 3), random.Pick([2, 3, 4]));
        var amounts = new[] { new Amount(first, new Measure(larger, null)), new Amount(random.Between(2, 59), new Measure(smaller, null)) };
        var target = fractions || random.Chance(30) ? random.Pick(units) : smaller;
        return (amounts, new Measure(target, null));
    }

    private static (IReadOnlyList<Amount> Amounts, Measure Target) DrawRate(RandomSource random)
    {
        var things = random.Pick(Ladder.All.Where(ladder => ladder != Ladder.Time).ToList()).Units;
        var times = Ladder.Time.Units.Take(4).ToList();
        var (source, target) = (new Measure(random.Pick(things), random.Pick(times)), new Measure(random.Pick(things), random.Pick(times)));
        var number = random.Between(2, random.Chance(50) ? 20 : 100) * (random.Chance(40) ? 60 : 1);
        return source.Unit == target.Unit || source.Per == target.Per ? ([], target) : ([new Amount(number, source)], target);
    }

    /// <summary>Upwards mostly a multiple, so that the result is whole or a simple fraction.</summary>
    private static Fraction DrawNumber(RandomSource random, Unit from, Unit to)
    {
        if (from.Rung > to.Rung)
            return random.Between(2, 60);
        var factor = 1;
        for (var unit = to; unit.Rung > from.Rung; unit = unit.Below)
            factor *= unit.OfNextSmaller;
        var part = random.Pick([1, 1, 2, 4]);
        return random.Between(2, 60) * (factor % part == 0 ? factor / part : factor);
    }

    /// <summary>Ladders with more units come more often: they have more to ask for.</summary>
    private static Ladder DrawLadder(RandomSource random) => random.Pick(Ladder.All.SelectMany(ladder => ladder.Units).ToList()).Ladder;

    private static UnitsContent? Renumbered(UnitsContent original, RandomSource random)
    {
        // Fractions keep their denominator, and the text its frame.
        var amounts = original.Amounts.Select(amount =>
        {
            // A simple multiple: what went up the ladder to a whole number mostly does again.
            var changed = amount.Value.Numerator * random.Between(1, 60) / random.Between(1, 12);
            return amount with { Value = new Fraction(changed, amount.Value.Denominator) };
        }).ToList();
        var same = amounts.Zip(original.Amounts).All(pair => pair.First.Value.Denominator == pair.Second.Value.Denominator
            && pair.First.Value.Numerator > 1 && pair.First.Value.Numerator <= 60 + (5 * pair.Second.Value.Numerator));
        var content = original with { Amounts = amounts };
        if (!same || amounts.SequenceEqual(original.Amounts))
            return null;
        // A whole result becomes a fraction only where hardly any other whole one is left.
        var whole = UnitsTrace.Write(original).Value is { IsInteger: true } && random.Chance(97);
        return original.Amounts[0].Measure.Fits(original.Target) ? Checked(content, whole ? 1 : 3) : content;
    }

    /// <summary>The same amount asked for in units of something else.</summary>
    private static UnitsContent? Misasked(UnitsContent content, RandomSource random)
    {
        var measure = content.Amounts[0].Measure.Unit.Ladder.Measure;
        var ladder = DrawLadder(random);
        return ladder.Measure == measure || (content.Target.Per is not null && ladder == Ladder.Time)
            ? null
            : content with { Target = content.Target with { Unit = random.Pick(ladder.Units) } };
    }
}

internal sealed record Amount(Fraction Value, Measure Measure);

/// <param name="Amounts">Added up; the larger unit first.</param>
/// <param name="Phrasing">The question with A for the amounts and T for what they are asked in.</param>
internal sealed record UnitsContent(IReadOnlyList<Amount> Amounts, Measure Target, string Phrasing, Surroundings Surroundings);
