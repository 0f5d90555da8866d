using System.Numerics;
using Distill.Verification.Mathematics.Numbers;
using Distill.Verification.Mathematics.Reading;

namespace Distill.Verification.Mathematics.Judging;

/// <summary>
/// How far a decimal may be from what it approximates: a millionth of one, and of the value where that is smaller; or, where the value
/// has no last decimal, half a unit of the last one that was written, if there are six digits and the error is below a millionth.
/// Without decimals on either side there is no tolerance.
/// </summary>
internal static class Tolerance
{
    private const int MinDigits = 6;

    private static readonly Rational Millionth = Rational.Of(1, 1_000_000);

    /// <returns>Null when the values must be equal.</returns>
    public static Rational? Of(Expression gold, Expression answer, Gaussian exactGold, Gaussian exactAnswer)
    {
        if (!gold.HasDecimals() && !answer.HasDecimals()) return null;
        var size = Max(exactGold.Real.Abs(), exactGold.Imaginary.Abs());
        var relative = size * Millionth;
        var tolerance = relative <= Millionth ? relative : Millionth;
        var rounding = HalfUnit(answer) is { } unit && !exactGold.Real.Terminates ? unit
            : HalfUnit(gold) is { } goldUnit && !exactAnswer.Real.Terminates ? goldUnit : null;
        return rounding is not null && rounding >= tolerance ? Min(rounding, relative) : tolerance;
    }

    /// <inheritdoc cref="Of(Expression, Expression, Gaussian, Gaussian)"/>
    public static Ball? Of(Expression gold, Expression answer, ComplexBall value, BallArithmetic arithmetic)
    {
        if (!gold.HasDecimals() && !answer.HasDecimals()) return null;
        if (arithmetic.Of(Millionth) is not { } millionth) return null;
        var size = value.Real.Magnitude >= value.Imaginary.Magnitude || value.IsReal ? value.Real : value.Imaginary;
        if (arithmetic.Multiply(size.Abs(), millionth) is not { } relative) return null;
        var tolerance = Smaller(relative, millionth, arithmetic);
        if ((HalfUnit(answer) ?? HalfUnit(gold)) is not { } unit || arithmetic.Of(unit) is not { } rounding) return tolerance;
        return Smaller(tolerance, rounding, arithmetic) == tolerance ? Smaller(rounding, relative, arithmetic) : tolerance;
    }

    private static Rational? HalfUnit(Expression value) => value.AsLiteral() is { Decimals: > 0 and var decimals, Digits: >= MinDigits }
        ? Rational.Of(1, 2 * BigInteger.Pow(10, decimals))
        : null;

    private static Ball Smaller(Ball left, Ball right, BallArithmetic arithmetic) =>
        arithmetic.Subtract(left, right) is { Sign: > 0 } ? right : left;

    private static Rational Max(Rational left, Rational right) => left >= right ? left : right;

    private static Rational Min(Rational left, Rational right) => left <= right ? left : right;
}
