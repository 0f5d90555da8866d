using System.Globalization;

namespace Distill.Data.Problems.Arithmetic;

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
