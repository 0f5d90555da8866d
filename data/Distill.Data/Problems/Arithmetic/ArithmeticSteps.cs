using System.Globalization;

namespace Distill.Data.Problems.Arithmetic;

/// <summary>What single steps may do: results stay in 0…99 and one factor of a product is at most nine.</summary>
internal static class ArithmeticSteps
{
    public const int Largest = 99;

    public static bool IsSingleStep(char op, int left, int right) => op switch
    {
        '+' => left + right <= Largest,
        '-' => left >= right,
        '*' => Math.Min(left, right) <= 9 && left * right <= Largest,
        '/' => right > 0 && right <= 9 && left % right == 0,
        _ => false,
    };

    /// <summary>One operation in the trace language: <c>7 + 5 = 12</c>.</summary>
    public static string Write(int left, char op, int right)
    {
        var value = op switch { '+' => left + right, '-' => left - right, '*' => left * right, _ => left / right };
        return string.Create(CultureInfo.InvariantCulture, $"{left} {op} {right} = {value}");
    }

    /// <summary>A true step with numbers as they come up in solutions.</summary>
    public static string DrawFact(RandomSource random, string operators)
    {
        while (true)
        {
            var op = operators[random.Below(operators.Length)];
            var (left, right) = op switch
            {
                '*' => (random.Between(2, 33), random.Between(2, 9)),
                '/' => (random.Between(4, Largest), random.Between(2, 5)),
                _ => (random.Between(1, Largest), random.Between(1, random.Chance(70) ? 20 : Largest)),
            };
            if (op is '+' or '*' && random.Chance(50))
                (left, right) = (right, left);
            if (IsSingleStep(op, left, right))
                return Write(left, op, right);
        }
    }

    /// <summary>The operations of an expression in evaluation order, operands before operators, left before right.</summary>
    public static IEnumerable<string> Of(Expression expression)
    {
        if (expression is not Operation operation)
            return [];
        return [.. Of(operation.Left), .. Of(operation.Right), Write(operation.Left.Value, operation.Operator, operation.Right.Value)];
    }

    public static bool AllSingle(Expression expression) => expression is not Operation operation
        || (AllSingle(operation.Left) && AllSingle(operation.Right)
            && IsSingleStep(operation.Operator, operation.Left.Value, operation.Right.Value));
}
