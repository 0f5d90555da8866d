using Distill.Verification.Mathematics.Numbers;
using Distill.Verification.Mathematics.Reading;

namespace Distill.Verification.Mathematics.Judging;

/// <summary>
/// Whether two expressions have one value: exactly where both are fractions, by balls that are narrower than the numbers in the
/// expressions can tell apart where they are irrational, and by expansion or at several points where there are variables.
/// </summary>
internal sealed class NumberComparison(WorkBudget budget)
{
    private const int FirstPrecision = 192;
    private const int SecondPrecision = 320;
    private const int MaxPrecision = 3_000;
    private const long ExactSteps = 400_000;
    private const long BallSteps = 400_000;

    /// <returns>Null when it cannot be told within the limits, or <paramref name="gold"/> has no value.</returns>
    public bool? AreEqual(Expression gold, Expression answer)
    {
        if (Infinity(gold) is { } sign) return Infinity(answer) == sign;
        if (Infinity(answer) is not null) return false;
        if (gold.HasVariables() || answer.HasVariables()) return new SymbolicComparison(budget).AreEqual(gold, answer);
        var (goldNumbers, answerNumbers) = (new ExactNumbers(budget.Part(ExactSteps)), new ExactNumbers(budget.Part(ExactSteps)));
        var exactGold = new Evaluation<Gaussian>(goldNumbers, budget.Part(ExactSteps)).Of(gold);
        var exactAnswer = new Evaluation<Gaussian>(answerNumbers, budget.Part(ExactSteps)).Of(answer);
        if (goldNumbers.IsUndefined) return null;
        if (answerNumbers.IsUndefined) return false;
        if (exactGold is not null && exactAnswer is not null) return ExactlyOrClosely(gold, answer, exactGold, exactAnswer);
        if (WithBalls(gold, answer, FirstPrecision, mustBeExact: true) is { } decided) return decided;
        // Fractions too large to be worked out are told apart by balls, but never found equal by them.
        bool isRational = goldNumbers.IsTooLarge || answerNumbers.IsTooLarge;
        long precision = SecondPrecision + (2 * (Weight(gold) + Weight(answer)));
        return isRational || precision > MaxPrecision ? null : WithBalls(gold, answer, (int)precision, mustBeExact: false);
    }

    /// <returns>Whether both balls are of one number, so far as they can tell, or near enough to it; null when they are too wide.</returns>
    public static bool? AreEqual(Expression gold, Expression answer, ComplexBall left, ComplexBall right, BallArithmetic arithmetic)
    {
        if (arithmetic.Subtract(left.Real, right.Real) is not { } real
            || arithmetic.Subtract(left.Imaginary, right.Imaginary) is not { } imaginary) return null;
        if (real.ContainsZero && imaginary.ContainsZero)
        {
            long limit = Math.Max(Math.Max(Size(left), Size(right)), 0) - (arithmetic.Precision / 2);
            bool isNarrow = Magnitude(real) <= limit && Magnitude(imaginary) <= limit;
            return isNarrow ? true : null;
        }

        bool isNear = Tolerance.Of(gold, answer, left, arithmetic) is { } tolerance
            && IsWithin(real, tolerance, arithmetic) && IsWithin(imaginary, tolerance, arithmetic);
        return isNear;
    }

    private bool? WithBalls(Expression gold, Expression answer, int precision, bool mustBeExact)
    {
        var numbers = new ComplexBalls(precision, budget.Part(BallSteps * precision / FirstPrecision));
        if (new Evaluation<ComplexBall>(numbers, budget).Of(gold) is not { } left) return null;
        if (new Evaluation<ComplexBall>(numbers, budget).Of(answer) is not { } right) return numbers.IsUndefined ? false : null;
        bool isCertain = !mustBeExact || (left.Real.IsExact && right.Real.IsExact && left.IsReal && right.IsReal);
        return AreEqual(gold, answer, left, right, numbers.Arithmetic) is { } equal ? equal && !isCertain ? null : equal : null;
    }

    private static bool ExactlyOrClosely(Expression gold, Expression answer, Gaussian exactGold, Gaussian exactAnswer)
    {
        if (exactGold == exactAnswer) return true;
        if (Tolerance.Of(gold, answer, exactGold, exactAnswer) is not { } tolerance) return false;
        var difference = exactGold + -exactAnswer;
        return difference.Real.Abs() <= tolerance && difference.Imaginary.Abs() <= tolerance;
    }

    private static bool IsWithin(Ball difference, Ball tolerance, BallArithmetic arithmetic) =>
        difference.IsZero || arithmetic.Subtract(tolerance, difference.Abs()) is { Sign: > 0 };

    private static long Size(ComplexBall value) => Math.Max(Magnitude(value.Real), Magnitude(value.Imaginary));

    private static long Magnitude(Ball value) => value.IsZero ? int.MinValue : value.Magnitude;

    private static int? Infinity(Expression value) => value switch
    {
        Name { Text: Name.Infinity } => 1,
        Negation { Inner: Name { Text: Name.Infinity } } => -1,
        _ => null,
    };

    /// <summary>About how many bits the numbers of an expression have: what separates two such values is seldom smaller.</summary>
    private static long Weight(Expression value) => value switch
    {
        Literal literal => literal.Value.Bits,
        Name => 4,
        Power { Exponent: var exponent } power when exponent.AsLiteral() is { } count =>
            (long)Math.Min(1e6, (Weight(power.Base) + 1) * Math.Abs((double)count.Value.Numerator)),
        _ => Math.Min(1_000_000, value.Parts.Sum(Weight)),
    };
}
