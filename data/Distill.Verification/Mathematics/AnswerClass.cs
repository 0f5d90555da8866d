using System.Globalization;
using System.Numerics;
using Distill.Verification.Mathematics.Numbers;
using Distill.Verification.Mathematics.Reading;

namespace Distill.Verification.Mathematics;

/// <summary>
/// One text for answers that mean the same, for counting votes: exact where there is a canonical form, by forty digits for irrational
/// numbers, and by the expression as it was read for the rest.
/// </summary>
internal static class AnswerClass
{
    private const int Precision = 256;
    private const int DecimalDigits = 40;
    private const int MinApproximateDigits = 6;
    private const long PartSteps = 300_000;

    public static string Of(AnswerValue value, WorkBudget budget) => value switch
    {
        Quantity quantity => Of(quantity.Value, budget) + (quantity.Unit is { } unit ? $" {unit.Text}" : ""),
        Words words => $"\"{words.Text}\"",
        Assignment assignment => Assigned(assignment, budget),
        Group { Kind: GroupKind.Set } set => $"{{{string.Join("; ", Items(set.Items, budget).Distinct().Order(StringComparer.Ordinal))}}}",
        Group { Kind: GroupKind.List } list => string.Join("; ", Items(list.Items, budget)),
        Group group => group.Brackets.Replace('⟨', '(').Replace('⟩', ')') is var brackets
            ? $"{brackets[0]}{string.Join("; ", Items(group.Items, budget))}{brackets[1]}"
            : "",
        SetOperation { Operator: "∖" } operation => string.Join(" ∖ ", Items(operation.Items, budget)),
        SetOperation operation => string.Join($" {operation.Operator} ", Items(operation.Items, budget).Order(StringComparer.Ordinal)),
        Matrix matrix => $"[{string.Join(" | ", matrix.Rows.Select(row => string.Join("; ", Items(row, budget))))}]",
        Relation relation => string.Concat(
            relation.Sides.Select((side, i) => (i == 0 ? "" : relation.Operators[i - 1]) + Of(side, budget))),
        Ratio ratio => string.Join(':', ratio.Parts.Select(part => Of(part, budget))) + ratio.Half,
        BasedNumber number => $"{number.Digits.TrimStart('0')}_{number.Base}",
        _ => throw new ArgumentOutOfRangeException(nameof(value), value, null),
    };

    // An equation that gives a name is judged as one too, so its name stays.
    private static string Assigned(Assignment named, WorkBudget budget) => named.Equation is { Sides.Count: > 2 } chain
        ? $"{named.Name} = {string.Join(" = ", chain.Sides.Skip(1).Select(side => Of(side, budget)))}"
        : $"{named.Name} = {Of(named.Value, budget)}";

    private static IEnumerable<string> Items(IReadOnlyList<AnswerValue> items, WorkBudget budget) => items.Select(item => Of(item, budget));

    private static string Of(Expression value, WorkBudget budget)
    {
        if (!value.HasVariables()) return OfNumber(value, budget);
        var part = budget.Part(PartSteps);
        var fractions = Fractions.For(part, value);
        return new Evaluation<Fraction>(fractions, part).Of(value) is { } fraction && ReferenceEquals(fraction.Denominator, Polynomial.One)
            ? OfPolynomial(fraction.Numerator, fractions.Variables)
            : Written(value);
    }

    private static string OfNumber(Expression value, WorkBudget budget)
    {
        var part = budget.Part(PartSteps);
        if (new Evaluation<Gaussian>(new ExactNumbers(part), part).Of(value) is { } exact)
        {
            // A long decimal may be judged right as an approximation, where the same fraction would not be.
            bool isApproximate = value.AsLiteral() is { Decimals: > 0, Digits: >= MinApproximateDigits };
            return isApproximate ? $"~{exact}" : exact.ToString();
        }

        var balls = new ComplexBalls(Precision, part);
        return new Evaluation<ComplexBall>(balls, part).Of(value) is { } ball
            && Decimal(ball.Real) is { } real && Decimal(ball.Imaginary) is { } imaginary
            ? ball.IsReal ? $"≈{real}" : $"≈{real}+{imaginary}i"
            : Written(value);
    }

    /// <returns>The digits of a number, and where they start; null when it is not known as exactly as that, or is too large.</returns>
    private static string? Decimal(Ball value)
    {
        if (value.IsZero) return "0";
        int decimals = DecimalDigits - (int)(value.Magnitude * 0.30103);
        if (value.ContainsZero || Math.Abs(decimals) > 2_000) return value.ContainsZero && value.Magnitude < -Precision / 2 ? "0" : null;
        var scaled = value.Middle * BigInteger.Pow(10, Math.Max(0, decimals)) / BigInteger.Pow(10, Math.Max(0, -decimals));
        var digits = value.Exponent >= 0 ? scaled << value.Exponent : Rounded(scaled, -value.Exponent);
        return string.Create(CultureInfo.InvariantCulture, $"{digits}e{-decimals}");
    }

    private static BigInteger Rounded(BigInteger value, int bits) => (value + (BigInteger.One << (bits - 1))) >> bits;

    private static string OfPolynomial(Polynomial polynomial, IReadOnlyList<string> variables)
    {
        if (polynomial.IsZero) return "0";
        var terms = polynomial.Terms.OrderByDescending(term => term.Key);
        return string.Join(" + ", terms.Select(term => term.Value + string.Concat(variables
            .Select((name, index) => (Name: name, Exponent: index < Polynomial.MaxVariables ? Polynomial.Exponent(term.Key, index) : 0))
            .Where(part => part.Exponent > 0)
            .Select(part => string.Create(CultureInfo.InvariantCulture, $"·{part.Name}^{part.Exponent}")))));
    }

    private static string Written(Expression value) => value switch
    {
        Literal literal => literal.Value.ToString(),
        Name name => name.Text,
        _ => $"{value.GetType().Name}{Extra(value)}({string.Join(',', value.Parts.Select(Written))})",
    };

    private static string Extra(Expression value) => value switch
    {
        Call call => $" {call.Function}",
        Root root => string.Create(CultureInfo.InvariantCulture, $" {root.Degree}"),
        _ => "",
    };
}
