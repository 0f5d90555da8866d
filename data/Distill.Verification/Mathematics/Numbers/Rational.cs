using System.Globalization;
using System.Numerics;

namespace Distill.Verification.Mathematics.Numbers;

/// <summary>An exact fraction in lowest terms; the denominator is positive. Immutable.</summary>
internal sealed record Rational
{
    private Rational(BigInteger numerator, BigInteger denominator) => (Numerator, Denominator) = (numerator, denominator);

    public static Rational Zero { get; } = new(0, 1);

    public static Rational One { get; } = new(1, 1);

    public BigInteger Numerator { get; }

    public BigInteger Denominator { get; }

    public int Sign => Numerator.Sign;

    public bool IsInteger => Denominator.IsOne;

    public long Bits => Numerator.GetBitLength() + Denominator.GetBitLength();

    /// <summary>Whether it can be written with finitely many decimals.</summary>
    public bool Terminates
    {
        get
        {
            var rest = Denominator;
            while (rest.IsEven) rest >>= 1;
            // 5^k for any k that a number of this size can hold.
            return BigInteger.ModPow(5, rest.GetBitLength(), rest).IsZero;
        }
    }

    public static Rational Of(BigInteger whole) => new(whole, 1);

    /// <exception cref="DivideByZeroException">The denominator is zero.</exception>
    public static Rational Of(BigInteger numerator, BigInteger denominator)
    {
        if (denominator.IsOne) return new(numerator, denominator);
        if (denominator.IsZero) throw new DivideByZeroException();
        var common = BigInteger.GreatestCommonDivisor(numerator, denominator) * denominator.Sign;
        return new(numerator / common, denominator / common);
    }

    public static Rational operator +(Rational left, Rational right) => left.IsInteger && right.IsInteger
        ? Of(left.Numerator + right.Numerator)
        : Of((left.Numerator * right.Denominator) + (right.Numerator * left.Denominator), left.Denominator * right.Denominator);

    public static Rational operator -(Rational value) => new(-value.Numerator, value.Denominator);

    public static Rational operator -(Rational left, Rational right) => left + -right;

    public static Rational operator *(Rational left, Rational right) =>
        Of(left.Numerator * right.Numerator, left.Denominator * right.Denominator);

    /// <exception cref="DivideByZeroException">The divisor is zero.</exception>
    public static Rational operator /(Rational left, Rational right) =>
        Of(left.Numerator * right.Denominator, left.Denominator * right.Numerator);

    public static bool operator <=(Rational left, Rational right) => (left - right).Sign <= 0;

    public static bool operator >=(Rational left, Rational right) => (left - right).Sign >= 0;

    public Rational Abs() => Sign < 0 ? -this : this;

    public BigInteger Floor()
    {
        var quotient = BigInteger.DivRem(Numerator, Denominator, out var rest);
        return rest.Sign < 0 ? quotient - 1 : quotient;
    }

    public Rational Power(int exponent)
    {
        var (numerator, denominator) = (BigInteger.Pow(Numerator, Math.Abs(exponent)), BigInteger.Pow(Denominator, Math.Abs(exponent)));
        return exponent >= 0 ? new(numerator, denominator) : Of(denominator, numerator);
    }

    public override string ToString() => IsInteger
        ? Numerator.ToString(CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{Numerator}/{Denominator}");
}

/// <summary>A complex number whose parts are fractions. Immutable.</summary>
internal sealed record Gaussian(Rational Real, Rational Imaginary)
{
    public static Gaussian I { get; } = new(Rational.Zero, Rational.One);

    public bool IsReal => Imaginary.Sign == 0;

    public bool IsZero => Real.Sign == 0 && IsReal;

    public long Bits => Math.Max(Real.Bits, Imaginary.Bits);

    public static Gaussian Of(Rational value) => new(value, Rational.Zero);

    public static Gaussian operator +(Gaussian left, Gaussian right) => new(left.Real + right.Real, left.Imaginary + right.Imaginary);

    public static Gaussian operator -(Gaussian value) => new(-value.Real, -value.Imaginary);

    public static Gaussian operator *(Gaussian left, Gaussian right) => left.IsReal && right.IsReal
        ? Of(left.Real * right.Real)
        : new((left.Real * right.Real) - (left.Imaginary * right.Imaginary), (left.Real * right.Imaginary) + (left.Imaginary * right.Real));

    /// <exception cref="DivideByZeroException">The divisor is zero.</exception>
    public static Gaussian operator /(Gaussian left, Gaussian right)
    {
        if (right.IsReal) return new(left.Real / right.Real, left.Imaginary / right.Real);
        var norm = (right.Real * right.Real) + (right.Imaginary * right.Imaginary);
        var product = left * new Gaussian(right.Real, -right.Imaginary);
        return new(product.Real / norm, product.Imaginary / norm);
    }

    public override string ToString() => IsReal ? Real.ToString() : $"{Real}+{Imaginary}i";
}
