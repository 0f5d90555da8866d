using Distill.Verification.Mathematics.Numbers;
using Distill.Verification.Mathematics.Reading;

namespace Distill.Verification.Mathematics.Judging;

/// <summary>Inequalities in one variable as the intervals that they say.</summary>
internal static class Intervals
{
    private const long Steps = 100_000;

    /// <returns>The variable and its interval, or for ≠ its two intervals; null for any other relation.</returns>
    public static (string Variable, AnswerValue Set)? Of(Relation relation, WorkBudget budget) => relation.Sides.Count switch
    {
        2 => OfTwo(relation.Sides[0], relation.Operators[0], relation.Sides[1], budget),
        3 => OfThree(relation),
        _ => null,
    };

    /// <summary>The operator seen from the other side.</summary>
    public static string Turned(string sign) => sign switch
    {
        "<" => ">",
        ">" => "<",
        "≤" => "≥",
        "≥" => "≤",
        _ => sign,
    };

    private static (string, AnswerValue)? OfTwo(Expression left, string sign, Expression right, WorkBudget budget)
    {
        if (sign == "=") return null;
        if (left is Name { IsVariable: true } name && !right.HasVariables()) return (name.Text, Ray(sign, right));
        if (right is Name { IsVariable: true } other && !left.HasVariables()) return (other.Text, Ray(Turned(sign), left));
        return Linear(new Sum([left, new Negation(right)]), budget.Part(Steps)) is { } zero
            ? (zero.Variable, Ray(zero.IsFalling ? Turned(sign) : sign, Literal.Of(zero.Value)))
            : null;
    }

    private static (string, AnswerValue)? OfThree(Relation relation)
    {
        var (low, middle, high) = (relation.Sides[0], relation.Sides[1], relation.Sides[2]);
        var (first, second) = (relation.Operators[0], relation.Operators[1]);
        if (first is ">" or "≥" && second is ">" or "≥") (low, high, first, second) = (high, low, Turned(second), Turned(first));
        if (first is not ("<" or "≤") || second is not ("<" or "≤")) return null;
        if (middle is not Name { IsVariable: true } name || low.HasVariables() || high.HasVariables()) return null;
        return (name.Text, Interval(first == "<" ? '(' : '[', low, high, second == "<" ? ')' : ']'));
    }

    private static AnswerValue Ray(string sign, Expression bound)
    {
        Expression infinity = new Name(Name.Infinity);
        return sign switch
        {
            "<" => Interval('(', new Negation(infinity), bound, ')'),
            "≤" => Interval('(', new Negation(infinity), bound, ']'),
            ">" => Interval('(', bound, infinity, ')'),
            "≥" => Interval('[', bound, infinity, ')'),
            _ => new SetOperation("∪", [Ray("<", bound), Ray(">", bound)]),
        };
    }

    private static Group Interval(char open, Expression low, Expression high, char close) =>
        new(GroupKind.Bracketed, $"{open}{close}", [new Quantity(low, null), new Quantity(high, null)]);

    /// <returns>Where a linear expression of one variable is zero, and whether it falls there.</returns>
    private static (string Variable, Rational Value, bool IsFalling)? Linear(Expression expression, WorkBudget budget)
    {
        var fractions = Fractions.For(budget, expression);
        if (fractions.Variables.Count != 1 || new Evaluation<Fraction>(fractions, budget).Of(expression) is not { } fraction) return null;
        if (!ReferenceEquals(fraction.Denominator, Polynomial.One) || fraction.Numerator.Degree != 1) return null;
        var slope = fraction.Numerator.Terms.First(term => term.Key != UInt128.Zero).Value;
        var constant = fraction.Numerator.Terms.GetValueOrDefault(UInt128.Zero) ?? Rational.Zero;
        return (fractions.Variables[0], -constant / slope, slope.Sign < 0);
    }
}
