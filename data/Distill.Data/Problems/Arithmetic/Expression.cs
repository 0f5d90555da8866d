namespace Distill.Data.Problems.Arithmetic;

/// <summary>An arithmetic expression as a tree: a number, or an operator with two operands.</summary>
internal abstract record Expression
{
    /// <summary>With the fewest parentheses that keep the order of evaluation, e.g. <c>( 7 + 5 ) * 3 - 4</c>.</summary>
    public abstract string Text { get; }

    public abstract int Value { get; }
}
