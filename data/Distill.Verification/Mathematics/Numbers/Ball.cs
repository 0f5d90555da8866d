using System.Numerics;

namespace Distill.Verification.Mathematics.Numbers;

/// <summary>
/// A real number known up to an error: (<paramref name="Middle"/> ± <paramref name="Radius"/>) · 2^<paramref name="Exponent"/>.
/// </summary>
internal sealed record Ball(BigInteger Middle, BigInteger Radius, int Exponent)
{
    public static Ball Zero { get; } = new(0, 0, 0);

    public bool IsExact => Radius.IsZero;

    public bool IsZero => IsExact && Middle.IsZero;

    public bool ContainsZero => BigInteger.Abs(Middle) <= Radius;

    /// <summary>1 or -1 where that is certain; else 0.</summary>
    public int Sign => ContainsZero ? 0 : Middle.Sign;

    public long Bits => Middle.GetBitLength();

    /// <summary>No value of the ball is as large as 2 to this.</summary>
    public long Magnitude => (BigInteger.Abs(Middle) + Radius).GetBitLength() + Exponent;

    public static Ball operator -(Ball value) => value with { Middle = -value.Middle };

    public Ball Abs() => Sign < 0 ? -this : Sign > 0 || IsExact ? this : Hull(BigInteger.Zero, BigInteger.Abs(Middle) + Radius, Exponent);

    /// <summary>The ball from one number to another, both in units of 2^<paramref name="exponent"/>.</summary>
    public static Ball Hull(BigInteger low, BigInteger high, int exponent) => new(low + high, high - low, exponent - 1);
}

/// <summary>
/// Ball arithmetic: every result contains the true one. After F. Johansson, "Arb: efficient arbitrary-precision midpoint-radius interval
/// arithmetic" (2017). Null where a result is out of range, or the budget is spent.
/// </summary>
/// <param name="precision">Bits of a middle.</param>
internal sealed class BallArithmetic(int precision, WorkBudget budget)
{
    private const int MaxExponent = 1 << 28;
    private const int RadiusBits = 30;

    public int Precision => precision;

    public Ball? Of(Rational value) => value.IsInteger
        ? Rounded(value.Numerator, 0, 0)
        : Divide(new Ball(value.Numerator, 0, 0), new Ball(value.Denominator, 0, 0));

    public Ball? Add(Ball left, Ball right)
    {
        if (left.IsZero) return right;
        if (right.IsZero) return left;
        var (large, small) = left.Exponent >= right.Exponent ? (left, right) : (right, left);
        long gap = (long)large.Exponent - small.Exponent;
        // What is far below the last bit that would be kept only widens the result.
        if (gap > 2L * precision && small.Magnitude < large.Exponent - precision)
            return Rounded(large.Middle << precision, (large.Radius << precision) + 1, large.Exponent - precision);
        if (gap > MaxExponent / 1024 || !budget.Spend(large.Bits + gap, 64)) return null;
        return Rounded((large.Middle << (int)gap) + small.Middle, (large.Radius << (int)gap) + small.Radius, small.Exponent);
    }

    public Ball? Subtract(Ball left, Ball right) => Add(left, -right);

    public Ball? Multiply(Ball left, Ball right)
    {
        if (left.IsZero || right.IsZero) return Ball.Zero;
        if (!budget.Spend(left.Bits, right.Bits)) return null;
        var radius = left.IsExact && right.IsExact
            ? BigInteger.Zero
            : (BigInteger.Abs(left.Middle) * right.Radius) + (BigInteger.Abs(right.Middle) * left.Radius) + (left.Radius * right.Radius);
        return Rounded(left.Middle * right.Middle, radius, (long)left.Exponent + right.Exponent);
    }

    /// <returns>Null also when the divisor may be zero.</returns>
    public Ball? Divide(Ball left, Ball right)
    {
        if (right.ContainsZero) return null;
        if (left.IsZero) return Ball.Zero;
        long shift = Math.Max(0, precision + right.Bits - left.Bits + 2);
        if (!budget.Spend(left.Bits + shift, right.Bits)) return null;
        var (numerator, divisor) = (left.Middle << (int)shift, BigInteger.Abs(right.Middle));
        var quotient = BigInteger.DivRem(numerator, right.Middle, out var rest);
        var error = (left.Radius * divisor) + (BigInteger.Abs(left.Middle) * right.Radius);
        var radius = error.IsZero ? BigInteger.Zero : (error << (int)shift) / (divisor * (divisor - right.Radius));
        bool isExact = error.IsZero && rest.IsZero;
        return Rounded(quotient, isExact ? 0 : radius + 2, (long)left.Exponent - right.Exponent - shift);
    }

    public Ball? Power(Ball value, BigInteger exponent)
    {
        if (exponent.GetBitLength() > 40) return null;
        var result = new Ball(1, 0, 0);
        for (var rest = BigInteger.Abs(exponent); !rest.IsZero; rest >>= 1)
        {
            if ((rest.IsEven ? result : Multiply(result, value)) is not { } product) return null;
            if ((rest.IsOne ? value : Multiply(value, value)) is not { } square) return null;
            (result, value) = (product, square);
        }

        return exponent.Sign < 0 ? Divide(new Ball(1, 0, 0), result) : result;
    }

    /// <summary>Of a number that is not negative.</summary>
    public Ball? Root(Ball value, int degree)
    {
        if (value.IsZero) return value;
        if (value.Sign <= 0 || degree < 1) return null;
        // The exponent must be a multiple of the degree, and the middle long enough for all bits of the root.
        long shift = Math.Max(0, ((long)precision * degree) - value.Bits);
        shift += (((value.Exponent - shift) % degree) + degree) % degree;
        if (shift > 200_000 || !budget.Spend((value.Bits + shift) * 4, value.Bits + shift)) return null;
        var low = Roots.Floor((value.Middle - value.Radius) << (int)shift, degree);
        var high = value.IsExact ? low : Roots.Floor((value.Middle + value.Radius) << (int)shift, degree);
        bool isExact = value.IsExact && BigInteger.Pow(low, degree) == value.Middle << (int)shift;
        return Rounded(low + high + (isExact ? 0 : 1), isExact ? 0 : high - low + 1, ((value.Exponent - shift) / degree) - 1);
    }

    /// <summary>Cuts a middle to the precision.</summary>
    public Ball? Rounded(BigInteger middle, BigInteger radius, long exponent)
    {
        int excess = (int)Math.Max(middle.GetBitLength() - precision, radius.GetBitLength() - RadiusBits);
        if (excess > 0)
        {
            bool isExact = radius.IsZero && (middle & ((BigInteger.One << excess) - 1)).IsZero;
            middle >>= excess;
            radius = isExact ? 0 : (radius >> excess) + 2;
            exponent += excess;
        }

        return Math.Abs(exponent) > MaxExponent ? null : new Ball(middle, radius, (int)exponent);
    }
}
