using System.Numerics;
using Distill.Verification.Mathematics.Reading;

namespace Distill.Verification.Mathematics.Numbers;

/// <summary>A complex number known up to an error.</summary>
internal sealed record ComplexBall(Ball Real, Ball Imaginary)
{
    public bool IsReal => Imaginary.IsZero;

    public bool IsZero => Real.IsZero && IsReal;

    public static ComplexBall? Of(Ball? real) => real is null ? null : new(real, Ball.Zero);

    public static ComplexBall? Of(Ball? real, Ball? imaginary) => real is null || imaginary is null ? null : new(real, imaginary);
}

/// <summary>Complex balls: every result contains the true one.</summary>
/// <param name="variables">Values for the variables of an expression.</param>
internal sealed class ComplexBalls(int precision, WorkBudget budget, IReadOnlyDictionary<string, Rational>? variables = null)
    : INumbers<ComplexBall>
{
    private static readonly Ball One = new(1, 0, 0);

    private readonly BallArithmetic real = new(precision, budget);
    private readonly BallFunctions functions = new(new BallArithmetic(precision, budget), budget);

    private readonly ExactNumbers exact = new(budget);

    public bool IsUndefined { get; private set; }

    public BallArithmetic Arithmetic => real;

    public ComplexBall? Of(Rational value) => ComplexBall.Of(real.Of(value));

    public ComplexBall? Of(Name name) => name.Text switch
    {
        Name.Pi => ComplexBall.Of(functions.Pi()),
        Name.E => ComplexBall.Of(functions.Exp(One)),
        Name.I => new ComplexBall(Ball.Zero, One),
        Name.Infinity => null,
        _ => variables?.GetValueOrDefault(name.Text) is { } value ? Of(value) : null,
    };

    public ComplexBall? Add(ComplexBall left, ComplexBall right) =>
        ComplexBall.Of(real.Add(left.Real, right.Real), real.Add(left.Imaginary, right.Imaginary));

    public ComplexBall? Negate(ComplexBall value) => new(-value.Real, -value.Imaginary);

    public ComplexBall? Multiply(ComplexBall left, ComplexBall right)
    {
        if (left.IsReal && right.IsReal) return ComplexBall.Of(real.Multiply(left.Real, right.Real));
        return ComplexBall.Of(
            Sum(real.Multiply(left.Real, right.Real), Minus(real.Multiply(left.Imaginary, right.Imaginary))),
            Sum(real.Multiply(left.Real, right.Imaginary), real.Multiply(left.Imaginary, right.Real)));
    }

    public ComplexBall? Divide(ComplexBall left, ComplexBall right)
    {
        if (right.Real.ContainsZero && right.Imaginary.ContainsZero) return Undefined();
        if (right.IsReal) return ComplexBall.Of(real.Divide(left.Real, right.Real), real.Divide(left.Imaginary, right.Real));
        if (SquareOfAbsolute(right) is not { } norm || Multiply(left, right with { Imaginary = -right.Imaginary }) is not { } product)
            return null;
        return ComplexBall.Of(real.Divide(product.Real, norm), real.Divide(product.Imaginary, norm));
    }

    public ComplexBall? Power(ComplexBall power, ComplexBall exponent)
    {
        if (exponent.IsReal && Whole(exponent.Real) is { } count) return WholePower(power, count);
        if (power.IsZero) return exponent.Real.Sign > 0 ? power : Undefined();
        return Ln(power) is { } logarithm && Multiply(logarithm, exponent) is { } product ? Exp(product) : null;
    }

    public ComplexBall? Root(ComplexBall radicand, int degree)
    {
        if (!radicand.IsReal) return degree == 2 ? ComplexRoot(radicand) : null;
        if (radicand.Real.Sign >= 0) return ComplexBall.Of(real.Root(radicand.Real, degree));
        if (real.Root(-radicand.Real, degree) is not { } root) return null;
        return degree % 2 == 1 ? new(-root, Ball.Zero) : degree == 2 ? new(Ball.Zero, root) : null;
    }

    public ComplexBall? Binomial(ComplexBall upper, ComplexBall lower) =>
        Exact(upper) is { } n && Exact(lower) is { } k ? Of(exact.Binomial(n, k)) : null;

    public ComplexBall? Apply(Function function, ComplexBall argument) => function switch
    {
        Function.Exp => Exp(argument),
        Function.Ln => Ln(argument),
        Function.Absolute when !argument.IsReal => SquareOfAbsolute(argument) is { } square ? ComplexBall.Of(real.Root(square, 2)) : null,
        Function.Sinh or Function.Cosh or Function.Tanh => Hyperbolic(function, argument),
        _ when !argument.IsReal => null,
        Function.Absolute => new(argument.Real.Abs(), Ball.Zero),
        Function.Floor => Stepped(argument.Real, 0),
        Function.Ceiling => Stepped(argument.Real, 1),
        Function.Arcsin or Function.Arccos => Inverse(function, argument.Real),
        Function.Arctan => ComplexBall.Of(functions.Arctan(argument.Real)),
        Function.Factorial or Function.DoubleFactorial => Exact(argument) is { } number ? Of(exact.Apply(function, number)) : null,
        _ => Trigonometric(function, argument.Real),
    };

    private ComplexBall? Trigonometric(Function function, Ball angle)
    {
        if (functions.SineAndCosine(angle) is not { } both) return null;
        var (sine, cosine) = (new ComplexBall(both.Sine, Ball.Zero), new ComplexBall(both.Cosine, Ball.Zero));
        var one = new ComplexBall(One, Ball.Zero);
        return function switch
        {
            Function.Sin => sine,
            Function.Cos => cosine,
            Function.Tan => Divide(sine, cosine),
            Function.Cot => Divide(cosine, sine),
            Function.Sec => Divide(one, cosine),
            Function.Csc => Divide(one, sine),
            _ => null,
        };
    }

    private ComplexBall? Inverse(Function function, Ball value)
    {
        if (real.Subtract(value.Abs(), One) is { Sign: > 0 }) return Undefined();
        if (functions.Arcsin(value) is not { } sine) return null;
        if (function == Function.Arcsin) return new(sine, Ball.Zero);
        return functions.Pi() is { } pi ? ComplexBall.Of(real.Subtract(pi with { Exponent = pi.Exponent - 1 }, sine)) : null;
    }

    private ComplexBall? Hyperbolic(Function function, ComplexBall argument)
    {
        if (Exp(argument) is not { } up || Exp(new(-argument.Real, -argument.Imaginary)) is not { } down) return null;
        if (Add(up, down) is not { } sum || Add(up, new(-down.Real, -down.Imaginary)) is not { } difference) return null;
        var two = new ComplexBall(new Ball(1, 0, 1), Ball.Zero);
        return function == Function.Tanh ? Divide(difference, sum) : Divide(function == Function.Sinh ? difference : sum, two);
    }

    private ComplexBall? Exp(ComplexBall value)
    {
        if (functions.Exp(value.Real) is not { } size || value.IsReal) return ComplexBall.Of(functions.Exp(value.Real));
        return functions.SineAndCosine(value.Imaginary) is { } turn
            ? ComplexBall.Of(real.Multiply(size, turn.Cosine), real.Multiply(size, turn.Sine))
            : null;
    }

    private ComplexBall? Ln(ComplexBall value)
    {
        if (value.IsZero) return Undefined();
        // With variables only the real logarithm counts: ln(x²) is 2·ln(x) where both are.
        if (!value.IsReal || (variables is not null && value.Real.Sign < 0)) return null;
        return value.Real.Sign >= 0 ? ComplexBall.Of(functions.Ln(value.Real)) : ComplexBall.Of(functions.Ln(-value.Real), functions.Pi());
    }

    private ComplexBall? WholePower(ComplexBall power, BigInteger count)
    {
        if (power.IsZero) return count.Sign > 0 ? power : Undefined();
        if (power.IsReal) return ComplexBall.Of(real.Power(power.Real, count));
        if (BigInteger.Abs(count) > 10_000) return null;
        var result = new ComplexBall(One, Ball.Zero);
        for (int rest = (int)BigInteger.Abs(count); rest > 0; rest >>= 1)
        {
            if ((rest % 2 == 0 ? result : Multiply(result, power)) is not { } product) return null;
            if ((rest == 1 ? power : Multiply(power, power)) is not { } square) return null;
            (result, power) = (product, square);
        }

        return count.Sign < 0 ? Divide(new(One, Ball.Zero), result) : result;
    }

    // sqrt(a + bi) = sqrt((|z| + a) / 2) + i · sign(b) · sqrt((|z| - a) / 2)
    private ComplexBall? ComplexRoot(ComplexBall value)
    {
        if (SquareOfAbsolute(value) is not { } square || real.Root(square, 2) is not { } size || value.Imaginary.Sign == 0) return null;
        var (first, second) = (RootOfHalf(real.Add(size, value.Real)), RootOfHalf(real.Subtract(size, value.Real)));
        return ComplexBall.Of(first, value.Imaginary.Sign < 0 ? Minus(second) : second);
    }

    private Ball? RootOfHalf(Ball? value) => value is null ? null : real.Root(value with { Exponent = value.Exponent - 1 }, 2);

    private Ball? SquareOfAbsolute(ComplexBall value) =>
        Sum(real.Multiply(value.Real, value.Real), real.Multiply(value.Imaginary, value.Imaginary));

    private static ComplexBall? Stepped(Ball value, int up)
    {
        if (value.Exponent > 0 || value.Exponent < -100_000) return null;
        var (low, high) = ((value.Middle - value.Radius) >> -value.Exponent, (value.Middle + value.Radius) >> -value.Exponent);
        return low == high && !value.IsExact ? new(new Ball(low + up, 0, 0), Ball.Zero) : null;
    }

    private static Gaussian? Exact(ComplexBall value) =>
        value.IsReal && Whole(value.Real) is { } whole ? Gaussian.Of(Rational.Of(whole)) : null;

    private ComplexBall? Of(Gaussian? value) => value is null ? null : Of(value.Real);

    private static BigInteger? Whole(Ball value)
    {
        if (!value.IsExact || value.Exponent > 64 || value.Exponent < -100_000) return null;
        if (value.Exponent >= 0) return value.Middle << value.Exponent;
        var whole = value.Middle >> -value.Exponent;
        return whole << -value.Exponent == value.Middle ? whole : null;
    }

    private Ball? Sum(Ball? left, Ball? right) => left is null || right is null ? null : real.Add(left, right);

    private static Ball? Minus(Ball? value) => value is null ? null : -value;

    private ComplexBall? Undefined()
    {
        IsUndefined = true;
        return null;
    }
}
