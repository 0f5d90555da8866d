using System.Numerics;

namespace Distill.Verification.Mathematics.Numbers;

/// <summary>Roots of whole numbers.</summary>
internal static class Roots
{
    /// <returns>The largest whole number whose power is not above <paramref name="value"/>.</returns>
    /// <param name="value">Not negative.</param>
    /// <param name="degree">At least 1.</param>
    public static BigInteger Floor(BigInteger value, int degree)
    {
        if (value.IsZero || degree == 1) return value;
        long bits = value.GetBitLength();
        if (degree >= bits) return BigInteger.One;
        // Newton from above falls until it is there.
        var guess = BigInteger.One << (int)((bits / degree) + 1);
        while (true)
        {
            var next = (((degree - 1) * guess) + (value / BigInteger.Pow(guess, degree - 1))) / degree;
            if (next >= guess) return guess;
            guess = next;
        }
    }

    /// <returns>Null when the value is not a power of that degree. A negative value has roots of odd degree.</returns>
    public static BigInteger? Exact(BigInteger value, int degree)
    {
        if (value.Sign < 0) return degree % 2 == 0 || Exact(-value, degree) is not { } root ? null : -root;
        var floor = Floor(value, degree);
        return BigInteger.Pow(floor, degree) == value ? floor : null;
    }

    /// <returns>Null when the root is not a fraction.</returns>
    public static Rational? Exact(Rational value, int degree) =>
        Exact(value.Numerator, degree) is { } numerator && Exact(value.Denominator, degree) is { } denominator
            ? Rational.Of(numerator, denominator)
            : null;
}
