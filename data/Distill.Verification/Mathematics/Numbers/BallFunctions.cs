using System.Numerics;

namespace Distill.Verification.Mathematics.Numbers;

/// <summary>Elementary functions of balls. Null where a function has no value, or the ball is too wide or too far out.</summary>
internal sealed class BallFunctions(BallArithmetic arithmetic, WorkBudget budget)
{
    /// <summary>The largest exponent of e; beyond it no answer is a number that anybody writes down.</summary>
    private const int MaxMagnitude = 24;

    private const int GuardBits = 40;

    private int Bits => arithmetic.Precision + GuardBits;

    public Ball? Pi() => Result(FixedPoint.Pi(Bits), 0);

    public Ball? Exp(Ball value)
    {
        if (value.Magnitude > MaxMagnitude || !SpendSeries(arithmetic.Precision)) return null;
        int bits = Bits + MaxMagnitude;
        var (fixedValue, error) = ToFixed(value, bits);
        if (error >> bits > 0) return null;
        var count = fixedValue / FixedPoint.Ln2(bits);
        var rest = fixedValue - (count * FixedPoint.Ln2(bits));
        var result = FixedPoint.Exp(rest, bits);
        // exp(x + d) differs from exp(x) by less than 2·d·exp(x), and by its error; the multiple of ln 2 adds less than a unit for each.
        var slope = (2 * result * (error + BigInteger.Abs(count) + 1) >> bits) + (2 * FixedPoint.Error);
        return arithmetic.Rounded(result, slope, (int)count - (long)bits);
    }

    /// <summary>Natural logarithm of a number that is surely above zero.</summary>
    public Ball? Ln(Ball value)
    {
        if (value.Sign <= 0 || !SpendSeries(arithmetic.Precision)) return null;
        int bits = Bits + 32;
        int length = (int)value.Bits;
        // The middle as a number from 0.75 to 1.5, times a power of two.
        var part = length <= bits ? value.Middle << (bits - length) : value.Middle >> (length - bits);
        long twos = value.Exponent + (long)length;
        if (part < (BigInteger.One << bits) * 3 / 4)
        {
            part <<= 1;
            twos--;
        }

        var result = FixedPoint.Ln(part, bits) + (twos * FixedPoint.Ln2(bits));
        var spread = value.IsExact ? BigInteger.Zero : (value.Radius << bits) / (value.Middle - value.Radius);
        return arithmetic.Rounded(result, spread + Math.Abs(twos) + FixedPoint.Error, -bits);
    }

    public (Ball Sine, Ball Cosine)? SineAndCosine(Ball value)
    {
        if (value.IsZero) return (Ball.Zero, new Ball(1, 0, 0));
        if (value.Magnitude > 2 * GuardBits || !SpendSeries(arithmetic.Precision)) return null;
        int bits = Bits + (2 * GuardBits);
        var (fixedValue, error) = ToFixed(value, bits);
        if (error >> bits > 0) return null;
        var quarter = FixedPoint.Pi(bits + 2 + (2 * GuardBits)) >> ((2 * GuardBits) + 3);
        var turns = Nearest(fixedValue, quarter);
        var (sine, cosine) = FixedPoint.SineAndCosine(fixedValue - (turns * quarter), bits);
        error += BigInteger.Abs(turns) + FixedPoint.Error;
        var (first, second) = ((int)(((turns % 4) + 4) % 4)) switch
        {
            0 => (sine, cosine),
            1 => (cosine, -sine),
            2 => (-sine, -cosine),
            _ => (-cosine, sine),
        };
        return arithmetic.Rounded(first, error, -bits) is { } s && arithmetic.Rounded(second, error, -bits) is { } c ? (s, c) : null;
    }

    public Ball? Arctan(Ball value)
    {
        if (value.IsZero) return value;
        if (!SpendSeries(arithmetic.Precision)) return null;
        var one = new Ball(1, 0, 0);
        bool isLarge = arithmetic.Subtract(value.Abs(), one) is { Sign: > 0 };
        if (!isLarge && value.Magnitude > 1) return null;
        if ((isLarge ? arithmetic.Divide(one, value) : value) is not { } small) return null;
        var (fixedValue, error) = ToFixed(small, Bits);
        var result = arithmetic.Rounded(FixedPoint.Arctan(fixedValue, Bits), error + FixedPoint.Error, -Bits);
        if (!isLarge || result is null || Pi() is not { } pi) return result;
        var quarter = pi with { Exponent = pi.Exponent - 1 };
        return arithmetic.Subtract(value.Sign > 0 ? quarter : -quarter, result);
    }

    /// <param name="value">From -1 to 1.</param>
    public Ball? Arcsin(Ball value)
    {
        var one = new Ball(1, 0, 0);
        if (arithmetic.Multiply(value, value) is not { } square || arithmetic.Subtract(one, square) is not { } rest) return null;
        if (rest.IsZero) return Pi() is { } pi ? (value.Sign > 0 ? pi : -pi) with { Exponent = pi.Exponent - 1 } : null;
        return arithmetic.Root(rest, 2) is { } root && arithmetic.Divide(value, root) is { } tangent ? Arctan(tangent) : null;
    }

    private Ball? Result(BigInteger value, int extra) => arithmetic.Rounded(value, FixedPoint.Error, -(Bits + extra));

    private static (BigInteger Value, BigInteger Error) ToFixed(Ball value, int bits)
    {
        int shift = bits + value.Exponent;
        return shift >= 0
            ? (value.Middle << shift, value.Radius << shift)
            : (value.Middle >> -shift, value.IsExact ? 1 : (value.Radius >> -shift) + 2);
    }

    private static BigInteger Nearest(BigInteger value, BigInteger unit)
    {
        var shifted = (2 * value) + unit;
        var quotient = BigInteger.DivRem(shifted, 2 * unit, out var rest);
        return rest.Sign < 0 ? quotient - 1 : quotient;
    }

    // About a term for every four bits, each a product.
    private bool SpendSeries(int precision) => budget.Spend(precision * (long)precision / 4, 256);
}
