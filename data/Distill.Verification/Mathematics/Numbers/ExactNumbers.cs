using System.Numerics;
using Distill.Verification.Mathematics.Reading;

namespace Distill.Verification.Mathematics.Numbers;

/// <summary>Complex fractions: results are exact, or null where they are irrational or too large.</summary>
internal sealed class ExactNumbers(WorkBudget budget) : INumbers<Gaussian>
{
    /// <summary>Of a numerator or denominator; some 5,000 digits.</summary>
    public const int MaxBits = 16_384;

    private const int MaxFactorial = 1_500;

    public bool IsUndefined { get; private set; }

    /// <summary>Whether a result was a fraction, and too large to be one here.</summary>
    public bool IsTooLarge { get; private set; }

    public Gaussian? Of(Rational value) => Bounded(Gaussian.Of(value));

    public Gaussian? Of(Name name) => name.Text == Name.I ? Gaussian.I : null;

    public Gaussian? Add(Gaussian left, Gaussian right) => Spend(left, right) ? Bounded(left + right) : null;

    public Gaussian? Negate(Gaussian value) => -value;

    public Gaussian? Multiply(Gaussian left, Gaussian right) => Spend(left, right) ? Bounded(left * right) : null;

    public Gaussian? Divide(Gaussian left, Gaussian right)
    {
        if (right.IsZero) return Undefined();
        return Spend(left, right) ? Bounded(left / right) : null;
    }

    public Gaussian? Power(Gaussian power, Gaussian exponent)
    {
        if (!exponent.IsReal || !exponent.Real.IsInteger) return null;
        var count = exponent.Real.Numerator;
        if (power.IsZero) return count.Sign > 0 ? power : Undefined();
        if (power.IsReal && power.Real.Abs() == Rational.One)
            return power.Real.Sign > 0 || count.IsEven ? Gaussian.Of(Rational.One) : power;
        if (BigInteger.Abs(count) * Math.Max(1, power.Bits - 1) > 2 * MaxBits) return TooLarge();
        if (!budget.Spend(MaxBits / 8, (long)BigInteger.Abs(count) * power.Bits)) return null;
        return power.IsReal ? Bounded(Gaussian.Of(power.Real.Power((int)count))) : ComplexPower(power, (int)count);
    }

    public Gaussian? Root(Gaussian radicand, int degree)
    {
        if (!radicand.IsReal || degree < 1 || !budget.Spend(radicand.Bits * 8, radicand.Bits)) return null;
        if (Roots.Exact(radicand.Real, degree) is { } root) return Gaussian.Of(root);
        bool isSquareBelowZero = degree == 2 && radicand.Real.Sign < 0;
        return isSquareBelowZero && Roots.Exact(-radicand.Real, 2) is { } part ? new Gaussian(Rational.Zero, part) : null;
    }

    public Gaussian? Binomial(Gaussian upper, Gaussian lower)
    {
        if (Whole(upper) is not { } n || Whole(lower) is not { } k || n.Sign < 0 || k.Sign < 0) return Undefined();
        if (k > n) return Gaussian.Of(Rational.Zero);
        k = BigInteger.Min(k, n - k);
        if (k * n.GetBitLength() > MaxBits) return TooLarge();
        if (!budget.Spend((long)k * 64, MaxBits / 4)) return null;
        var result = BigInteger.One;
        for (int i = 1; i <= (int)k; i++) result = result * (n - k + i) / i;
        return Gaussian.Of(Rational.Of(result));
    }

    public Gaussian? Apply(Function function, Gaussian argument) => function switch
    {
        Function.Absolute when argument.IsReal => Gaussian.Of(argument.Real.Abs()),
        Function.Absolute => Root(Gaussian.Of((argument.Real * argument.Real) + (argument.Imaginary * argument.Imaginary)), 2),
        Function.Floor when argument.IsReal => Gaussian.Of(Rational.Of(argument.Real.Floor())),
        Function.Ceiling when argument.IsReal => Gaussian.Of(Rational.Of(-(-argument.Real).Floor())),
        Function.Factorial => Factorial(argument, 1),
        Function.DoubleFactorial => Factorial(argument, 2),
        Function.Ln when argument.IsZero => Undefined(),
        Function.Ln when argument.IsReal && argument.Real == Rational.One => Gaussian.Of(Rational.Zero),
        Function.Exp or Function.Cos or Function.Cosh or Function.Sec when argument.IsZero => Gaussian.Of(Rational.One),
        Function.Sin or Function.Tan or Function.Arcsin or Function.Arctan or Function.Sinh or Function.Tanh
            when argument.IsZero => argument,
        _ => null,
    };

    private Gaussian? Factorial(Gaussian argument, int step)
    {
        if (Whole(argument) is not { } number || number.Sign < 0) return Undefined();
        if (number > MaxFactorial) return TooLarge();
        if (!budget.Spend((long)number * 64, MaxBits / 4)) return null;
        var result = BigInteger.One;
        for (int i = (int)number; i > 1; i -= step) result *= i;
        return Bounded(Gaussian.Of(Rational.Of(result)));
    }

    private Gaussian? ComplexPower(Gaussian power, int count)
    {
        var result = Gaussian.Of(Rational.One);
        for (int rest = Math.Abs(count); rest > 0; rest >>= 1)
        {
            if ((rest & 1) == 1) result *= power;
            if (rest > 1) power *= power;
        }

        return Bounded(count < 0 ? Gaussian.Of(Rational.One) / result : result);
    }

    private static BigInteger? Whole(Gaussian value) => value.IsReal && value.Real.IsInteger ? value.Real.Numerator : null;

    private bool Spend(Gaussian left, Gaussian right) => budget.Spend(left.Bits * 2, right.Bits * 2);

    private Gaussian? Bounded(Gaussian value) => value.Bits <= 2 * MaxBits ? value : TooLarge();

    private Gaussian? TooLarge()
    {
        IsTooLarge = true;
        return null;
    }

    private Gaussian? Undefined()
    {
        IsUndefined = true;
        return null;
    }
}
