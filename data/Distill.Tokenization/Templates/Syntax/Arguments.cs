namespace Distill.Tokenization.Templates.Syntax;

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
