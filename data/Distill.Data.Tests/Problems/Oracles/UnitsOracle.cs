using System.Numerics;
using System.Text.RegularExpressions;
using Distill.Data.Problems;

namespace Distill.Data.Tests.Problems.Oracles;

/// <summary>Everything in the smallest unit of its kind at once, where the family goes rung by rung.</summary>
internal sealed partial class UnitsOracle : Oracle
{
    private static readonly Dictionary<string, (string Kind, long Size)> Sizes = new()
    {
        ["second"] = ("time", 1), ["minute"] = ("time", 60), ["hour"] = ("time", 3600), ["day"] = ("time", 86_400),
        ["week"] = ("time", 604_800),
        ["millimeter"] = ("length", 1), ["centimeter"] = ("length", 10), ["meter"] = ("length", 1000),
        ["kilometer"] = ("length", 1_000_000),
        ["inch"] = ("old length", 1), ["foot"] = ("old length", 12), ["yard"] = ("old length", 36),
        ["gram"] = ("weight", 1), ["kilogram"] = ("weight", 1000), ["ton"] = ("weight", 1_000_000),
        ["ounce"] = ("old weight", 1), ["pound"] = ("old weight", 16),
        ["milliliter"] = ("volume", 1), ["liter"] = ("volume", 1000),
        ["cup"] = ("old volume", 1), ["pint"] = ("old volume", 2), ["quart"] = ("old volume", 4), ["gallon"] = ("old volume", 16),
        ["cent"] = ("money", 1), ["dollar"] = ("money", 100),
    };

    public override bool Accepts(string text, string answer) => Value(text) is { } value
        ? Ratio.TryRead(answer) is { } given && given.Equals(value)
        : answer == "impossible";

    public override bool IsUnsatisfiable(string text) => Value(text) is null;

    /// <summary>Each operation is true, goes on from the last result, and uses the unit's step said just before.</summary>
    public override void CheckSteps(Problem problem)
    {
        var (amounts, target) = Read(problem.Text);
        var items = StepText.Items(problem.ReferenceSolution!);
        if (problem.ReferenceAnswer == "impossible")
        {
            items.Length.ShouldBe(3, problem.Id);
            items[0].ShouldBe($"{amounts[0].Unit} : {Measures(amounts[0].Unit)}", problem.Id);
            items[1].ShouldBe($"{target} : {Measures(target)}", problem.Id);
            items[2].ShouldBe("no", problem.Id);
            return;
        }

        var (value, added, rung) = (amounts[0].Value, 1, (Ratio?)null);
        foreach (var item in items)
        {
            if (item.StartsWith("1 ", StringComparison.Ordinal) && Rung(item) is { } step)
            {
                rung = step;
                continue;
            }

            var groups = Operation().Match(item).Groups;
            Ratio.TryRead(groups[1].Value).ShouldBe(value, $"{problem.Id}: {item}");
            var right = Ratio.TryRead(groups[3].Value)!.Value;
            right.ShouldBe(groups[2].Value == "+" ? amounts[added++].Value : rung ?? new Ratio(0, 1), $"{problem.Id}: {item}");
            value = groups[2].Value switch { "+" => value.Plus(right), "*" => value.Times(right), _ => value.Over(right) };
            Ratio.TryRead(groups[4].Value).ShouldBe(value, $"{problem.Id}: {item}");
            rung = null;
        }

        (rung, added).ShouldBe((null, amounts.Count), problem.Id);
        Ratio.TryRead(problem.ReferenceAnswer).ShouldBe(value, problem.Id);
    }

    public override bool IsTrue(string fact) => StepText.Items(fact) is [var rung, var operation]
        && Rung(rung) is { } step && StepText.Result(operation) is not null && operation.Split(' ')[2] == step.Above.ToString();

    private static Ratio? Value(string text)
    {
        var (amounts, target) = Read(text);
        var wanted = Size(target);
        Ratio sum = new(0, 1);
        foreach (var (value, unit) in amounts)
        {
            var size = Size(unit);
            if (size.Kind != wanted.Kind)
                return null;
            sum = sum.Plus(value.Times(size.Value));
        }

        return sum.Over(wanted.Value);
    }

    private static (string Kind, Ratio Value) Size(string unit)
    {
        var parts = unit.Split(" per ").Select(Single).Select(name => Sizes[name]).ToArray();
        return parts.Length == 1
            ? (parts[0].Kind, new Ratio(parts[0].Size, 1))
            : ($"{parts[0].Kind} per {parts[1].Kind}", new Ratio(parts[0].Size, parts[1].Size));
    }

    private static string Measures(string unit) => Size(unit).Kind.Replace("old ", "", StringComparison.Ordinal);

    private static string Single(string unit) => unit switch { "feet" => "foot", "inches" => "inch", _ => unit.TrimEnd('s') };

    private static Ratio? Rung(string item) => RungText().Match(item) is { Success: true, Groups: var groups }
        && Size(groups[1].Value).Value.Equals(Size(groups[3].Value).Value.Times(new Ratio(StepText.Number(groups[2].Value), 1)))
        && Size(groups[1].Value).Kind == Size(groups[3].Value).Kind
            ? new Ratio(StepText.Number(groups[2].Value), 1)
            : null;

    private static (List<(Ratio Value, string Unit)> Amounts, string Target) Read(string text)
    {
        var groups = Question().Match(text).Groups;
        var target = groups["target"].Value;
        var amounts = groups["amounts"].Value.Split(" and ").Select(amount =>
        {
            var parts = Amount().Match(amount).Groups;
            return (Ratio.TryRead(parts[1].Value)!.Value, parts[2].Value);
        });
        return (amounts.ToList(), target);
    }

    [GeneratedRegex(
        @"how many (?<target>[a-z ]+) are (?<amounts>[0-9a-z/ ]+) \?|convert (?<amounts>[0-9a-z/ ]+) to (?<target>[a-z ]+) \.|"
        + @"write (?<amounts>[0-9a-z/ ]+) in (?<target>[a-z ]+) \.")]
    private static partial Regex Question();

    [GeneratedRegex("^([0-9]+(?: / [0-9]+)?) ([a-z ]+)$")]
    private static partial Regex Amount();

    [GeneratedRegex("^1 ([a-z]+) = ([0-9]+) ([a-z]+)$")]
    private static partial Regex RungText();

    [GeneratedRegex(@"^([0-9]+|\( [0-9]+ / [0-9]+ \)) ([-+*/]) ([0-9]+|\( [0-9]+ / [0-9]+ \)) = ([0-9]+(?: / [0-9]+)?)$")]
    private static partial Regex Operation();
}

/// <summary>A ratio as it comes; equal when the cross products are.</summary>
internal readonly record struct Ratio(BigInteger Above, BigInteger Below)
{
    public static Ratio? TryRead(string text)
    {
        var parts = text.Replace("( ", "", StringComparison.Ordinal).Replace(" )", "", StringComparison.Ordinal).Split(" / ");
        return parts.All(part => part.Length > 0 && part.All(char.IsAsciiDigit)) && parts.Length is 1 or 2
            ? new Ratio(BigInteger.Parse(parts[0]), parts.Length == 2 ? BigInteger.Parse(parts[1]) : 1)
            : null;
    }

    public Ratio Plus(Ratio other) => new((Above * other.Below) + (other.Above * Below), Below * other.Below);

    public Ratio Times(Ratio other) => new(Above * other.Above, Below * other.Below);

    public Ratio Over(Ratio other) => new(Above * other.Below, Below * other.Above);

    public bool Equals(Ratio other) => Above * other.Below == other.Above * Below;

    public override int GetHashCode() => 0;
}
