using System.Numerics;

namespace Distill.Verification.Mathematics.Numbers;

/// <summary>
/// A polynomial in up to eight variables with fractions as coefficients, fully expanded. A monomial is a number with 16 bits for each
/// variable's exponent, so that a product of monomials is a sum of numbers. Immutable.
/// </summary>
internal sealed class Polynomial
{
    public const int MaxVariables = 8;

    private const int ExponentBits = 16;

    private readonly Dictionary<UInt128, Rational> terms;

    private Polynomial(Dictionary<UInt128, Rational> terms) => this.terms = terms;

    public static Polynomial Zero { get; } = new([]);

    public static Polynomial One { get; } = Of(Rational.One);

    /// <summary>Coefficients by monomial; none is zero.</summary>
    public IReadOnlyDictionary<UInt128, Rational> Terms => terms;

    public bool IsZero => terms.Count == 0;

    /// <summary>The number that it is, when no variable is in it.</summary>
    public Rational? Constant => terms.Count switch
    {
        0 => Rational.Zero,
        1 => terms.GetValueOrDefault(UInt128.Zero),
        _ => null,
    };

    /// <summary>The largest exponent of any variable in it.</summary>
    public int Degree =>
        terms.Count == 0 ? 0 : terms.Keys.Max(monomial => Enumerable.Range(0, MaxVariables).Max(i => Exponent(monomial, i)));

    public long Bits => terms.Count == 0 ? 1 : terms.Values.Max(coefficient => coefficient.Bits);

    /// <summary>The coefficient of the greatest monomial; 0 of nothing.</summary>
    public Rational Leading => terms.Count == 0 ? Rational.Zero : terms[terms.Keys.Max()];

    public static Polynomial Of(Rational value) => value.Sign == 0 ? Zero : new(new() { [UInt128.Zero] = value });

    public static Polynomial Variable(int index) => new(new() { [UInt128.One << (index * ExponentBits)] = Rational.One });

    public static int Exponent(UInt128 monomial, int index) => (ushort)(monomial >> (index * ExponentBits));

    public static Polynomial operator +(Polynomial left, Polynomial right)
    {
        var sum = new Dictionary<UInt128, Rational>(left.terms);
        foreach (var (monomial, coefficient) in right.terms) Add(sum, monomial, coefficient);
        return new(sum);
    }

    public static Polynomial operator *(Polynomial left, Polynomial right)
    {
        var product = new Dictionary<UInt128, Rational>();
        foreach (var (monomial, coefficient) in left.terms)
            foreach (var (other, factor) in right.terms) Add(product, monomial + other, coefficient * factor);
        return new(product);
    }

    public static Polynomial operator -(Polynomial value) => value.Times(-Rational.One);

    public Polynomial Times(Rational factor) =>
        factor.Sign == 0 ? Zero : new(terms.ToDictionary(term => term.Key, term => term.Value * factor));

    /// <summary>Divided by its leading coefficient.</summary>
    public Polynomial Monic() => IsZero ? this : Times(Rational.One / Leading);

    public bool SameAs(Polynomial other) => terms.Count == other.terms.Count
        && terms.All(term => other.terms.TryGetValue(term.Key, out var coefficient) && coefficient == term.Value);

    public BigInteger WorkOfProduct(Polynomial other) => (BigInteger)terms.Count * other.terms.Count;

    private static void Add(Dictionary<UInt128, Rational> terms, UInt128 monomial, Rational coefficient)
    {
        var sum = terms.TryGetValue(monomial, out var present) ? present + coefficient : coefficient;
        if (sum.Sign == 0) terms.Remove(monomial);
        else terms[monomial] = sum;
    }
}

/// <summary>A quotient of polynomials, not reduced; the denominator is not zero.</summary>
internal sealed record Fraction(Polynomial Numerator, Polynomial Denominator)
{
    public static Fraction Of(Polynomial polynomial) => new(polynomial, Polynomial.One);
}
