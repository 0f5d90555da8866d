using Distill.Verification.Mathematics.Numbers;
using Distill.Verification.Mathematics.Reading;

namespace Distill.Verification.Mathematics.Judging;

/// <summary>
/// Whether two expressions with variables are the same, or multiples of one another: by expansion where both are quotients of
/// polynomials, else at fixed points, where a single difference decides.
/// </summary>
internal sealed class SymbolicComparison(WorkBudget budget)
{
    private const int Precision = 192;
    private const int Points = 14;
    private const int WholePoints = 6;
    private const int EnoughPoints = 3;
    private const long ExpansionSteps = 500_000;
    private const long PointSteps = 100_000;

    /// <returns>Null when it cannot be told within the limits.</returns>
    public bool? AreEqual(Expression gold, Expression answer)
    {
        var part = budget.Part(ExpansionSteps);
        var fractions = Fractions.For(part, gold, answer);
        var left = new Evaluation<Fraction>(fractions, part).Of(gold);
        if (fractions.IsUndefined) return null;
        var right = left is null ? null : new Evaluation<Fraction>(fractions, part).Of(answer);
        if (fractions.IsUndefined) return false;
        if (left is not null && right is not null && fractions.AreSame(left, right) is { } same) return same;
        return AtPoints(gold, answer, (first, second, balls) => NumberComparison.AreEqual(gold, answer, first, second, balls.Arithmetic));
    }

    /// <returns>Whether one is a constant times the other, the constant above zero where <paramref name="isPositive"/>.</returns>
    public bool? AreMultiples(Expression gold, Expression answer, bool isPositive)
    {
        var part = budget.Part(ExpansionSteps);
        var fractions = Fractions.For(part, gold, answer);
        var evaluation = new Evaluation<Fraction>(fractions, part);
        if (evaluation.Of(gold) is { } left && evaluation.Of(answer) is { } right
            && fractions.Multiply(left, Fraction.Of(right.Denominator)) is { } first
            && fractions.Multiply(right, Fraction.Of(left.Denominator)) is { } second)
            return AreMultiples(first.Numerator, second.Numerator, isPositive);
        if (fractions.IsUndefined) return null;
        ComplexBall? ratio = null;
        return AtPoints(gold, answer, (one, other, balls) =>
        {
            if (balls.Divide(one, other) is not { } quotient) return null;
            ratio ??= quotient;
            if (isPositive && quotient.Real.Sign <= 0) return false;
            return NumberComparison.AreEqual(gold, answer, ratio, quotient, balls.Arithmetic);
        });
    }

    private static bool AreMultiples(Polynomial left, Polynomial right, bool isPositive)
    {
        if (left.IsZero || right.IsZero) return left.IsZero && right.IsZero;
        return left.Monic().SameAs(right.Monic()) && (!isPositive || left.Leading.Sign == right.Leading.Sign);
    }

    private bool? AtPoints(Expression gold, Expression answer, Func<ComplexBall, ComplexBall, ComplexBalls, bool?> compare)
    {
        string[] variables = [.. gold.Variables().Union(answer.Variables()).Order(StringComparer.Ordinal)];
        int agreements = 0;
        for (int point = 0; point < Points; point++)
        {
            var values = variables.Select((name, index) => KeyValuePair.Create(name, Value(point, index))).ToDictionary();
            var balls = new ComplexBalls(Precision, budget.Part(PointSteps), values);
            if (new Evaluation<ComplexBall>(balls, budget).Of(gold) is not { } left
                || new Evaluation<ComplexBall>(balls, budget).Of(answer) is not { } right) continue;
            switch (compare(left, right, balls))
            {
                case false:
                    return false;
                case true:
                    agreements++;
                    break;
            }
        }

        return agreements >= EnoughPoints ? true : null;
    }

    // Whole numbers first, for factorials. Then fractions without a pattern, from 0.2 to 3.2; at half of the points every other one is
    // below zero.
    private static Rational Value(int point, int index)
    {
        if (point < WholePoints) return Rational.Of(2 + (((point * 5) + (index * 7)) % 11));
        long mixed = (((point * 31L) + (index * 17) + 7) * 7_919 % 3_001) + 201;
        bool isNegative = point % 2 == 1 && (point + index) % 2 == 1;
        return Rational.Of(isNegative ? -mixed : mixed, 1_009);
    }
}
