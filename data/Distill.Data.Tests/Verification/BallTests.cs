using System.Numerics;
using CsCheck;
using Distill.Verification.Mathematics.Numbers;
using Distill.Verification.Mathematics.Reading;

namespace Distill.Data.Tests.Verification;

/// <summary>Enclosures contain what they enclose.</summary>
public sealed class BallTests
{
    private const long Steps = 10_000_000;

    [Fact]
    public void Functions_agree_with_those_of_the_processor()
    {
        Gen.Double[-20, 20].Sample(number =>
        {
            double rounded = Math.Round(number, 6);
            Check(Function.Exp, rounded, Math.Exp(rounded));
            Check(Function.Sin, rounded, Math.Sin(rounded));
            Check(Function.Cos, rounded, Math.Cos(rounded));
            Check(Function.Arctan, rounded, Math.Atan(rounded));
            if (rounded != 0) Check(Function.Ln, Math.Abs(rounded), Math.Log(Math.Abs(rounded)));
            if (Math.Abs(rounded) <= 1) Check(Function.Arcsin, rounded, Math.Asin(rounded));
        });
    }

    [Theory]
    [InlineData("\\sin^2(1.3)+\\cos^2(1.3)-1")]
    [InlineData("\\exp(\\ln(7))-7")]
    [InlineData("\\ln(\\exp(-3.25))+3.25")]
    [InlineData("16\\arctan\\frac{1}{5}-4\\arctan\\frac{1}{239}-\\pi")]
    [InlineData("\\sqrt{2}\\sqrt{3}-\\sqrt{6}")]
    [InlineData("\\sqrt[7]{5}^7-5")]
    [InlineData("2^{\\frac{1}{3}}-\\sqrt[3]{2}")]
    [InlineData("\\arcsin(0.6)+\\arccos(0.6)-\\frac{\\pi}{2}")]
    [InlineData("\\cosh^2(2)-\\sinh^2(2)-1")]
    [InlineData("e^{i\\pi}+1")]
    [InlineData("\\sin(1000000)-\\sin(1000000-2\\pi)")]
    [InlineData("\\arctan(1000)+\\arctan(0.001)-\\frac{\\pi}{2}")]
    public void What_is_zero_is_within_a_narrow_ball(string text)
    {
        foreach (int precision in new[] { 64, 192, 700, 3_000 })
        {
            var ball = Value(text, precision);
            ball.Real.ContainsZero.ShouldBeTrue(text);
            ball.Imaginary.ContainsZero.ShouldBeTrue(text);
            ball.Real.Magnitude.ShouldBeLessThan(-precision + 60, text);
        }
    }

    [Fact]
    public void Sums_and_products_contain_the_exact_ones()
    {
        var numbers = Gen.Select(Gen.Long, Gen.Long[1, long.MaxValue], (top, bottom) => Rational.Of(top, bottom));
        Gen.Select(numbers, numbers).Sample((left, right) =>
        {
            var arithmetic = new BallArithmetic(40, new WorkBudget(Steps));
            var (first, second) = (arithmetic.Of(left)!, arithmetic.Of(right)!);
            Contains(arithmetic.Add(first, second)!, left + right).ShouldBeTrue();
            Contains(arithmetic.Multiply(first, second)!, left * right).ShouldBeTrue();
            if (right.Sign != 0) Contains(arithmetic.Divide(first, second)!, left / right).ShouldBeTrue();
            if (left.Sign > 0) Contains(arithmetic.Power(arithmetic.Root(first, 3)!, 3)!, left).ShouldBeTrue();
        });
    }

    private static bool Contains(Ball ball, Rational value)
    {
        var unit = Rational.Of(BigInteger.Pow(2, Math.Max(0, ball.Exponent)), BigInteger.Pow(2, Math.Max(0, -ball.Exponent)));
        return Rational.Of(ball.Middle - ball.Radius) * unit <= value && value <= Rational.Of(ball.Middle + ball.Radius) * unit;
    }

    private static void Check(Function function, double argument, double expected)
    {
        var numbers = new ComplexBalls(128, new WorkBudget(Steps));
        var exact = Rational.Of(new BigInteger(Math.Round(argument * 1e6)), 1_000_000);
        var result = numbers.Apply(function, numbers.Of(exact)!)!.Real;
        double actual = (double)result.Middle * Math.Pow(2, result.Exponent);
        actual.ShouldBe(expected, 1e-9 * Math.Max(1, Math.Abs(expected)), $"{function}({argument})");
        result.Radius.ShouldBeLessThan(BigInteger.Pow(2, 40));
    }

    private static ComplexBall Value(string text, int precision)
    {
        var expression = ((Quantity)AnswerReader.Read(text)!).Value;
        return new Evaluation<ComplexBall>(new ComplexBalls(precision, new WorkBudget(Steps)), new WorkBudget(Steps)).Of(expression)!;
    }
}
