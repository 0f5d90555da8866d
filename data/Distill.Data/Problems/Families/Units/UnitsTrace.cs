namespace Distill.Data.Problems.Families.Units;

/// <summary>
/// The trace: rung by rung, each with what a unit is of the next one and the multiplication or division
/// (<c>1 hour = 60 minutes ; 3 * 60 = 180</c>). Of several amounts the larger one goes down to the unit of the smaller and is added to it.
/// </summary>
internal sealed class UnitsTrace
{
    private readonly List<string> items = [];

    private UnitsTrace()
    {
    }

    /// <param name="Value">Null when the units measure different things.</param>
    public sealed record Result(string Steps, Fraction? Value);

    public static Result Write(UnitsContent content)
    {
        var trace = new UnitsTrace();
        var value = trace.Run(content);
        return new Result(string.Join(" ; ", trace.items), value);
    }

    /// <summary>One rung: <c>1 hour = 60 minutes</c>.</summary>
    public static string Rung(Unit unit) => $"1 {unit.One} = {unit.OfNextSmaller} {unit.Below.Name}";

    private Fraction? Run(UnitsContent content)
    {
        var source = content.Amounts[0].Measure;
        if (!source.Fits(content.Target))
        {
            items.Add($"{Measures(source)} ; {Measures(content.Target)} ; no");
            return null;
        }

        var (value, unit) = (content.Amounts[0].Value, source.Unit);
        foreach (var amount in content.Amounts.Skip(1))
        {
            value = Walk(value, unit, amount.Measure.Unit, isPer: false);
            unit = amount.Measure.Unit;
            value = Step(value, '+', amount.Value, value + amount.Value);
        }

        value = Walk(value, unit, content.Target.Unit, isPer: false);
        return source.Per is null ? value : Walk(value, source.Per, content.Target.Per!, isPer: true);
    }

    /// <param name="isPer">The unit is what is counted per: fewer of something fit into less time.</param>
    private Fraction Walk(Fraction value, Unit from, Unit to, bool isPer)
    {
        while (from.Rung != to.Rung)
        {
            var down = from.Rung > to.Rung;
            var larger = down ? from : from.Above;
            items.Add(Rung(larger));
            Fraction factor = larger.OfNextSmaller;
            value = down != isPer ? Step(value, '*', factor, value * factor) : Step(value, '/', factor, value / factor);
            from = down ? from.Below : larger;
        }

        return value;
    }

    private Fraction Step(Fraction left, char op, Fraction right, Fraction value)
    {
        items.Add($"{Operand(left)} {op} {Operand(right)} = {value}");
        return value;
    }

    private static string Operand(Fraction value) => value.IsInteger ? value.ToString() : $"( {value} )";

    private static string Measures(Measure measure) => measure.Per is null
        ? $"{measure.Unit.Name} : {measure.Unit.Ladder.Measure}"
        : $"{measure.Text} : {measure.Unit.Ladder.Measure} per {measure.Per.Ladder.Measure}";
}
