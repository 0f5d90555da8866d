using System.Numerics;
using Distill.Verification.Mathematics.Reading;

namespace Distill.Verification.Mathematics.Numbers;

/// <summary>
/// Quotients of polynomials. π and e count as variables: no polynomial with fractions as coefficients makes either of them vanish.
/// </summary>
internal sealed class Fractions : INumbers<Fraction>
{
    private const int MaxDegree = 200;
    private const int MaxTerms = 2_000;
    private const int StepsPerTerm = 60;

    private readonly WorkBudget budget;
    private readonly ExactNumbers exact;
    private readonly string[] variables;

    /// <param name="variables">All that the expressions hold, in the order of the exponents.</param>
    public Fractions(IEnumerable<string> variables, WorkBudget budget)
    {
        this.budget = budget;
        exact = new ExactNumbers(budget);
        this.variables = [.. variables];
    }

    public bool IsUndefined { get; private set; }

    public IReadOnlyList<string> Variables => variables;

    /// <summary>For expressions that are compared with one another: their variables, and the constants that count as such.</summary>
    public static Fractions For(WorkBudget budget, params IEnumerable<Expression> expressions)
    {
        var names = expressions.SelectMany(expression => expression.All().OfType<Name>()).Select(name => name.Text);
        return new(names.Where(name => name is not (Name.I or Name.Infinity)).Distinct().Order(StringComparer.Ordinal), budget);
    }

    public Fraction? Of(Rational value) => value.Bits <= ExactNumbers.MaxBits ? Fraction.Of(Polynomial.Of(value)) : null;

    public Fraction? Of(Name name)
    {
        int index = Array.IndexOf(variables, name.Text);
        return index is >= 0 and < Polynomial.MaxVariables ? Fraction.Of(Polynomial.Variable(index)) : null;
    }

    public Fraction? Add(Fraction left, Fraction right)
    {
        if (left.Denominator.SameAs(right.Denominator))
            return Spend(left.Numerator, Polynomial.One) ? Bounded(left.Numerator + right.Numerator, left.Denominator) : null;
        return Multiply(left.Numerator, right.Denominator) is { } first && Multiply(right.Numerator, left.Denominator) is { } second
            && Multiply(left.Denominator, right.Denominator) is { } denominator
            ? Bounded(first + second, denominator)
            : null;
    }

    public Fraction? Negate(Fraction value) => value with { Numerator = -value.Numerator };

    public Fraction? Multiply(Fraction left, Fraction right) => Multiply(left.Numerator, right.Numerator) is { } numerator
        && Multiply(left.Denominator, right.Denominator) is { } denominator
        ? Bounded(numerator, denominator)
        : null;

    public Fraction? Divide(Fraction left, Fraction right)
    {
        if (!right.Numerator.IsZero) return Multiply(left, new Fraction(right.Denominator, right.Numerator));
        IsUndefined = true;
        return null;
    }

    public Fraction? Power(Fraction power, Fraction exponent)
    {
        if (Constant(exponent) is not { IsInteger: true, Numerator: var count } || BigInteger.Abs(count) > MaxDegree) return null;
        if (power.Numerator.IsZero && count.Sign <= 0)
        {
            IsUndefined = true;
            return null;
        }

        var result = Fraction.Of(Polynomial.One);
        for (int rest = (int)BigInteger.Abs(count); rest > 0; rest >>= 1)
        {
            if ((rest % 2 == 0 ? result : Multiply(result, power)) is not { } product) return null;
            if ((rest == 1 ? power : Multiply(power, power)) is not { } square) return null;
            (result, power) = (product, square);
        }

        return count.Sign < 0 ? Divide(Fraction.Of(Polynomial.One), result) : result;
    }

    public Fraction? Root(Fraction radicand, int degree) =>
        Constant(radicand) is { } number ? Exactly(exact.Root(Gaussian.Of(number), degree)) : null;

    public Fraction? Binomial(Fraction upper, Fraction lower) => Constant(upper) is { } n && Constant(lower) is { } k
        ? Exactly(exact.Binomial(Gaussian.Of(n), Gaussian.Of(k)))
        : null;

    public Fraction? Apply(Function function, Fraction argument) =>
        Constant(argument) is { } number ? Exactly(exact.Apply(function, Gaussian.Of(number))) : null;

    /// <returns>Whether they are the same at every point where both have a value; null when that takes too long.</returns>
    public bool? AreSame(Fraction left, Fraction right) =>
        Multiply(left.Numerator, right.Denominator) is { } first && Multiply(right.Numerator, left.Denominator) is { } second
            ? first.SameAs(second)
            : null;

    /// <summary>The number that a fraction is, when no variable is left in it.</summary>
    public static Rational? Constant(Fraction value) =>
        value.Numerator.Constant is { } numerator && value.Denominator.Constant is { } denominator ? numerator / denominator : null;

    private Fraction? Exactly(Gaussian? value)
    {
        IsUndefined |= exact.IsUndefined;
        return value is { IsReal: true } ? Of(value.Real) : null;
    }

    private Polynomial? Multiply(Polynomial left, Polynomial right)
    {
        if (ReferenceEquals(left, Polynomial.One)) return right;
        if (ReferenceEquals(right, Polynomial.One)) return left;
        return left.Degree + right.Degree <= MaxDegree && Spend(left, right) ? left * right : null;
    }

    private bool Spend(Polynomial left, Polynomial right)
    {
        long pairs = (long)left.WorkOfProduct(right);
        return pairs <= (long)MaxTerms * MaxTerms && budget.Spend(pairs * StepsPerTerm) && budget.Spend(pairs * left.Bits, right.Bits);
    }

    private static Fraction? Bounded(Polynomial numerator, Polynomial denominator)
    {
        bool isBounded = numerator.Terms.Count <= MaxTerms && denominator.Terms.Count <= MaxTerms
            && numerator.Bits <= ExactNumbers.MaxBits && denominator.Bits <= ExactNumbers.MaxBits;
        if (!isBounded) return null;
        // Constants move up, so that most denominators stay 1.
        return denominator.Constant is { } constant && constant.Sign != 0
            ? Fraction.Of(numerator.Times(Rational.One / constant))
            : new Fraction(numerator, denominator);
    }
}
