using System.Globalization;
using Distill.Data.Verification;
using Distill.Verification;

namespace Distill.Data.Problems.Families;

/// <summary>
/// Nested expressions of 2, 3 and 4 operations (levels 1 to 3), e.g. <c>compute ( 7 + 5 ) * 3 - 4 .</c>, solved one operation at a time.
/// No unsatisfiable twins: every expression has a value.
/// </summary>
internal sealed class ArithmeticFamily : ProblemFamily<ArithmeticContent>
{
    private static readonly string[] Phrasings = ["compute {0} .", "what is {0} ?", "find {0} ."];

    public override string Name => "arithmetic";

    public override string Domain => "arithmetic";

    public override IVerifier Verifier { get; } = new IntegerVerifier();

    protected override IReadOnlyList<int> Ample { get; } = [10_000, 10_000, 10_000];

    protected override ArithmeticContent? Draw(RandomSource random, int level)
    {
        var expression = DrawTree(random, operations: level + 1);
        return ArithmeticSteps.AllSingle(expression)
            ? new ArithmeticContent(expression, random.Pick(Phrasings), Surroundings.Draw(random, []))
            : null;
    }

    protected override ArithmeticContent? Perturb(ArithmeticContent original, TwinKind kind, RandomSource random) => kind switch
    {
        TwinKind.Renamed => Renumbered(original, random),
        TwinKind.Irrelevant => original with { Surroundings = original.Surroundings.WithClause(random, []) },
        _ => null,
    };

    protected override string Signature(ArithmeticContent content) =>
        $"arithmetic:{content.Expression.Text.Replace(" ", "", StringComparison.Ordinal)}";

    protected override Wording Word(ArithmeticContent content) => new(
        content.Surroundings.Around(content.Phrasing.Replace("{0}", content.Expression.Text, StringComparison.Ordinal)),
        string.Join(" ; ", ArithmeticSteps.Of(content.Expression)),
        content.Expression.Value.ToString(CultureInfo.InvariantCulture));

    /// <summary>One operation, or an expression and which of its operations comes first.</summary>
    protected override string DrawFact(RandomSource random)
    {
        if (random.Chance(50))
            return ArithmeticSteps.DrawFact(random, "+-*");
        while (true)
        {
            var expression = DrawTree(random, operations: random.Between(1, 3));
            if (ArithmeticSteps.AllSingle(expression))
                return $"{expression.Text} first {ArithmeticSteps.Of(expression).First()}";
        }
    }

    private static Expression DrawTree(RandomSource random, int operations)
    {
        if (operations == 0)
            return new Number(random.Between(1, 20));
        var op = "++--**"[random.Below(6)];
        var leftOperations = random.Below(operations);
        return new Operation(op, Operand(random, op, leftOperations), Operand(random, op, operations - 1 - leftOperations));
    }

    private static Expression Operand(RandomSource random, char op, int operations) =>
        operations == 0 ? new Number(DrawNumber(random, op)) : DrawTree(random, operations);

    private static int DrawNumber(RandomSource random, char op) =>
        op == '*' ? random.Between(2, 9) : random.Between(1, random.Chance(80) ? 20 : 60);

    private static ArithmeticContent? Renumbered(ArithmeticContent original, RandomSource random)
    {
        var expression = Renumbered(original.Expression, '+', random);
        return ArithmeticSteps.AllSingle(expression) && expression != original.Expression
            ? original with { Expression = expression }
            : null;
    }

    private static Expression Renumbered(Expression expression, char parent, RandomSource random) => expression is Operation operation
        ? operation with
        {
            Left = Renumbered(operation.Left, operation.Operator, random),
            Right = Renumbered(operation.Right, operation.Operator, random),
        }
        : new Number(DrawNumber(random, parent));
}

/// <param name="Phrasing">The question with <c>{0}</c> for the expression.</param>
internal sealed record ArithmeticContent(Expression Expression, string Phrasing, Surroundings Surroundings);

/// <summary>An arithmetic expression as a tree: a number, or an operator with two operands.</summary>
internal abstract record Expression
{
    /// <summary>With the fewest parentheses that keep the order of evaluation, e.g. <c>( 7 + 5 ) * 3 - 4</c>.</summary>
    public abstract string Text { get; }

    public abstract int Value { get; }
}

internal sealed record Number(int Amount) : Expression
{
    public override string Text => Amount.ToString(CultureInfo.InvariantCulture);

    public override int Value => Amount;
}

internal sealed record Operation(char Operator, Expression Left, Expression Right) : Expression
{
    public override string Text => $"{Operand(Left, isRight: false)} {Operator} {Operand(Right, isRight: true)}";

    public override int Value => Operator switch
    {
        '+' => Left.Value + Right.Value,
        '-' => Left.Value - Right.Value,
        '*' => Left.Value * Right.Value,
        _ => throw new InvalidOperationException($"Unknown operator '{Operator}'."),
    };

    private bool BindsTightly => Operator == '*';

    private string Operand(Expression operand, bool isRight) => operand is Operation inner && NeedsParentheses(inner, isRight)
        ? $"( {inner.Text} )"
        : operand.Text;

    // On the right, an operation of the same rank is parenthesised too: 9 - ( 3 + 2 ), and 9 + ( 3 + 2 ) keeps its order.
    private bool NeedsParentheses(Operation inner, bool isRight) =>
        isRight ? BindsTightly || !inner.BindsTightly : BindsTightly && !inner.BindsTightly;
}

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
