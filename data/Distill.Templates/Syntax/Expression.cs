using Distill.Templates.Values;

namespace Distill.Templates.Syntax;

/// <summary>What stands where a value is wanted. <see cref="Depth"/> counts the expressions inside one another.</summary>
internal abstract record Expression(int Depth)
{
    internal sealed record Constant(Value Value) : Expression(1);

    internal sealed record Name(string Identifier) : Expression(1);

    internal sealed record List(IReadOnlyList<Expression> Items, SequenceKind Kind) : Expression(Above(Items));

    internal sealed record Dictionary(IReadOnlyList<(Expression Key,
        Expression Value)> Entries) : Expression(Above(Entries.SelectMany(e => (Expression[])[e.Key, e.Value])));

    internal sealed record Attribute(Expression Of, string Member) : Expression(Of.Depth + 1);

    internal sealed record Item(Expression Of, Expression Index) : Expression(Above([Of, Index]));

    internal sealed record Slice(Expression Of, Expression? Start, Expression? Stop,
        Expression? Step) : Expression(Above([Of, Start, Stop, Step]));

    internal sealed record Call(Expression Of, Arguments Arguments) : Expression(Above([Of, .. Arguments.All]));

    /// <summary>Without an input the text of the enclosing block is filtered.</summary>
    internal sealed record Filter(Expression? Input, string FilterName, Arguments Arguments) : Expression(Above([Input, .. Arguments.All]));

    internal sealed record Test(Expression Input, string TestName, Arguments Arguments) : Expression(Above([Input, .. Arguments.All]));

    internal sealed record Negation(Expression Operand) : Expression(Operand.Depth + 1);

    internal sealed record Sign(Expression Operand, bool IsMinus) : Expression(Operand.Depth + 1);

    internal sealed record Binary(BinaryOperator Operator, Expression Left, Expression Right) : Expression(Above([Left, Right]));

    internal sealed record Concatenation(IReadOnlyList<Expression> Parts) : Expression(Above(Parts));

    internal sealed record Comparison(Expression First,
        IReadOnlyList<(ComparisonOperator Operator, Expression Operand)> Rest) : Expression(Above([First, .. Rest.Select(r => r.Operand)]));

    internal sealed record Logical(bool IsAnd, Expression Left, Expression Right) : Expression(Above([Left, Right]));

    internal sealed record Conditional(Expression Condition, Expression Then,
        Expression? Otherwise) : Expression(Above([Condition, Then, Otherwise]));

    private static int Above(IEnumerable<Expression?> parts) => parts.Select(p => p?.Depth ?? 0).DefaultIfEmpty().Max() + 1;
}

/// <summary>What stands between the brackets of a call.</summary>
/// <param name="Spread">After <c>*</c>: a sequence of further positional arguments.</param>
/// <param name="SpreadNamed">After <c>**</c>: a dictionary of further named ones.</param>
internal sealed record Arguments(
    IReadOnlyList<Expression> Positional,
    IReadOnlyList<(string Name, Expression Value)> Named,
    Expression? Spread = null,
    Expression? SpreadNamed = null)
{
    public static Arguments None { get; } = new([], []);

    public IEnumerable<Expression?> All => [.. Positional, .. Named.Select(n => n.Value), Spread, SpreadNamed];
}

internal enum BinaryOperator
{
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Modulo,
    Power,
}

internal enum ComparisonOperator
{
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
}
