namespace Distill.Data.Problems.Arithmetic;

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
