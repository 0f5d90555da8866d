using System.Numerics;

namespace Distill.Verification.Mathematics.Numbers;

/// <summary>
/// Series in fixed point: whole numbers in units of 2^-bits. Each result is within a few units per term of the true one, which
/// <see cref="Error"/> covers with a wide margin.
/// </summary>
internal static class FixedPoint
{
    /// <summary>Units by which a result here may be wrong.</summary>
    public const int Error = 1 << 20;

    /// <summary>The most bits that any precision here may ask for.</summary>
    private const int MaxBits = 5_000;

    private static readonly Lazy<BigInteger> LargePi = new(() => 4 * ((4 * ArctanOfInverse(5)) - ArctanOfInverse(239)));
    private static readonly Lazy<BigInteger> LargeLn2 = new(() => 2 * ArctanhOfInverse(3));

    public static BigInteger Pi(int bits) => LargePi.Value >> (MaxBits - bits);

    public static BigInteger Ln2(int bits) => LargeLn2.Value >> (MaxBits - bits);

    /// <param name="value">At most 1.</param>
    public static BigInteger Exp(BigInteger value, int bits)
    {
        const int Halvings = 8;
        var small = value >> Halvings;
        var (sum, term) = (BigInteger.One << bits, BigInteger.One << bits);
        for (int i = 1; !term.IsZero && term != BigInteger.MinusOne; i++) sum += term = (term * small >> bits) / i;
        for (int i = 0; i < Halvings; i++) sum = sum * sum >> bits;
        return sum;
    }

    /// <param name="value">From 0.75 to 1.5.</param>
    public static BigInteger Ln(BigInteger value, int bits)
    {
        var one = BigInteger.One << bits;
        var part = ((value - one) << bits) / (value + one);
        return 2 * OddSeries(part, part * part >> bits, bits);
    }

    /// <param name="value">From -π/4 to π/4, or little more.</param>
    public static (BigInteger Sine, BigInteger Cosine) SineAndCosine(BigInteger value, int bits)
    {
        var square = value * value >> bits;
        return (Alternating(value, square, 1, bits), Alternating(BigInteger.One << bits, square, 0, bits));
    }

    /// <param name="value">From -1 to 1.</param>
    public static BigInteger Arctan(BigInteger value, int bits)
    {
        const int Halvings = 4;
        var one = BigInteger.One << bits;
        for (int i = 0; i < Halvings; i++) value = (value << bits) / (one + Roots.Floor((one << bits) + (value * value), 2));
        return OddSeries(value, -(value * value >> bits), bits) << Halvings;
    }

    // first + first·square/3 + first·square²/5 + …
    private static BigInteger OddSeries(BigInteger first, BigInteger square, int bits)
    {
        var (sum, power) = (first, first);
        for (int i = 3; ; i += 2)
        {
            power = power * square >> bits;
            if (power.IsZero || power == BigInteger.MinusOne) return sum;
            sum += power / i;
        }
    }

    private static BigInteger Alternating(BigInteger first, BigInteger square, int degree, int bits)
    {
        var (sum, term) = (first, first);
        for (int i = degree + 1; ; i += 2)
        {
            term = -(term * square >> bits) / (i * (i + 1));
            if (term.IsZero) return sum;
            sum += term;
        }
    }

    private static BigInteger ArctanOfInverse(int number) => InverseSeries(number, alternates: true);

    private static BigInteger ArctanhOfInverse(int number) => InverseSeries(number, alternates: false);

    private static BigInteger InverseSeries(int number, bool alternates)
    {
        var power = (BigInteger.One << (MaxBits + 32)) / number;
        var sum = BigInteger.Zero;
        for (int i = 0; !power.IsZero; i++, power /= number * number)
            sum += (alternates && i % 2 == 1 ? -power : power) / ((2 * i) + 1);
        return sum >> 32;
    }
}
