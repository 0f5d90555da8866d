using Distill.Verification.Mathematics.Reading;

namespace Distill.Verification.Mathematics.Numbers;

/// <summary>A kind of numbers that expressions can be worked out in. An operation gives null where its result is of another kind.</summary>
internal interface INumbers<T>
    where T : class
{
    /// <summary>Whether an operation was asked for that has no value at all, such as a division by zero.</summary>
    bool IsUndefined { get; }

    T? Of(Rational value);

    T? Of(Name name);

    T? Add(T left, T right);

    T? Negate(T value);

    T? Multiply(T left, T right);

    T? Divide(T left, T right);

    T? Power(T power, T exponent);

    T? Root(T radicand, int degree);

    T? Binomial(T upper, T lower);

    T? Apply(Function function, T argument);
}

/// <summary>Works an expression out. The depth of its recursion is that of the expression, which the reader limits.</summary>
internal sealed class Evaluation<T>(INumbers<T> numbers, WorkBudget budget)
    where T : class
{
    private const int MaxDegree = 1_000;

    private static readonly Rational Hundredth = Rational.Of(1, 100);
    private static readonly Rational HalfTurnPart = Rational.Of(1, 180);

    /// <returns>Null when it cannot be told in these numbers, or not within the budget.</returns>
    public T? Of(Expression expression)
    {
        if (!budget.Spend(4)) return null;
        return expression switch
        {
            Literal literal => numbers.Of(literal.Value),
            Name name => numbers.Of(name),
            Sum sum => Folded(sum.Terms, numbers.Add),
            Product product => Folded(product.Factors, numbers.Multiply),
            Negation negation => Of(negation.Inner) is { } inner ? numbers.Negate(inner) : null,
            Quotient quotient => Two(quotient.Numerator, quotient.Denominator, numbers.Divide),
            Power power => OfPower(power),
            Root root => Of(root.Radicand) is { } radicand ? numbers.Root(radicand, root.Degree) : null,
            Logarithm logarithm => OfLogarithm(logarithm),
            Binomial binomial => Two(binomial.Upper, binomial.Lower, numbers.Binomial),
            Call call => Of(call.Argument) is { } argument ? OfCall(call.Function, argument) : null,
            _ => null,
        };
    }

    private T? Folded(IReadOnlyList<Expression> parts, Func<T, T, T?> operation)
    {
        var result = Of(parts[0]);
        for (int i = 1; i < parts.Count && result is not null; i++)
            result = Of(parts[i]) is { } next ? operation(result, next) : null;
        return result;
    }

    private T? Two(Expression left, Expression right, Func<T, T, T?> operation) =>
        Of(left) is { } first && Of(right) is { } second ? operation(first, second) : null;

    // The cube root of -8 is -2 here as at school, so a fraction as exponent is a root and not exp(ln(x) / 3).
    private T? OfPower(Power power)
    {
        if (Of(power.Base) is not { } value) return null;
        if (Fraction(power.Exponent) is not { } exponent) return Of(power.Exponent) is { } other ? numbers.Power(value, other) : null;
        if (!exponent.IsInteger)
        {
            if (numbers.Root(value, (int)exponent.Denominator) is not { } root) return null;
            value = root;
        }

        return numbers.Of(Rational.Of(exponent.Numerator)) is { } whole ? numbers.Power(value, whole) : null;
    }

    private static Rational? Fraction(Expression exponent)
    {
        var value = exponent switch
        {
            Literal { Decimals: null } literal => literal.Value,
            Negation { Inner: var inner } => Fraction(inner) is { } positive ? -positive : null,
            Quotient { Numerator: Literal top, Denominator: Literal bottom } when bottom.Value.Sign != 0 => top.Value / bottom.Value,
            _ => null,
        };
        return value is not null && value.Denominator <= MaxDegree ? value : null;
    }

    private T? OfLogarithm(Logarithm logarithm)
    {
        if (Of(logarithm.Argument) is not { } argument || numbers.Apply(Function.Ln, argument) is not { } top) return null;
        return Of(logarithm.Base) is { } value && numbers.Apply(Function.Ln, value) is { } bottom ? numbers.Divide(top, bottom) : null;
    }

    private T? OfCall(Function function, T argument) => function switch
    {
        Function.Percent => Times(argument, Hundredth),
        Function.Degree => Times(argument, HalfTurnPart) is { } part && numbers.Of(new Name(Name.Pi)) is { } pi
            ? numbers.Multiply(part, pi)
            : null,
        _ => numbers.Apply(function, argument),
    };

    private T? Times(T value, Rational factor) => numbers.Of(factor) is { } number ? numbers.Multiply(value, number) : null;
}
