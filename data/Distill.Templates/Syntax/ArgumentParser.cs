using Distill.Templates.Values;

namespace Distill.Templates.Syntax;

/// <summary>Reads what stands in brackets: arguments, subscripts, tuples, lists, dictionaries.</summary>
internal sealed class ArgumentParser(TokenReader tokens, ParseState state)
{
    // Made on first use: expressions and brackets contain each other.
    private ExpressionParser Expressions => field ??= new ExpressionParser(tokens, state);

    public Arguments Read()
    {
        tokens.Expect("(");
        var positional = new List<Expression>();
        var named = new List<(string, Expression)>();
        Expression? spread = null, spreadNamed = null;
        while (!tokens.Skip(")"))
        {
            if (tokens.Skip("*")) spread = spread is null && spreadNamed is null ? Expressions.One() : throw tokens.Unexpected();
            else if (tokens.Skip("**")) spreadNamed = spreadNamed is null ? Expressions.One() : throw tokens.Unexpected();
            else if (tokens.Current.Kind == TokenKind.Name && tokens.Following.IsOperator("=")) named.Add(Named(spreadNamed));
            else if (named.Count == 0 && spread is null && spreadNamed is null) positional.Add(Expressions.One());
            else throw TemplateException.Syntax("a positional argument follows a named one");
            if (!tokens.Current.IsOperator(")")) tokens.Expect(",");
        }
        return new Arguments(positional, named, spread, spreadNamed);
    }

    /// <summary><c>a[b]</c>, <c>a[b:c:d]</c>, <c>a[b, c]</c>.</summary>
    public Expression Subscript(Expression operand)
    {
        tokens.Expect("[");
        var parts = new List<Expression>();
        while (!tokens.Skip("]"))
        {
            if (parts.Count > 0) tokens.Expect(",");
            var part = Part(operand);
            if (part is Expression.Slice slice && parts.Count == 0)
            {
                tokens.Expect("]");
                return slice;
            }
            parts.Add(part);
        }
        return parts.Count switch
        {
            0 => throw TemplateException.Syntax("expected a subscript"),
            1 => new Expression.Item(operand, parts[0]),
            _ => new Expression.Item(operand, new Expression.List(parts, SequenceKind.Tuple)),
        };
    }

    /// <summary>A tuple, list or dictionary whose opening bracket has been taken.</summary>
    public Expression Bracketed(Token open) => open.Text switch
    {
        "(" when open.Kind == TokenKind.Operator => Parenthesised(),
        "[" when open.Kind == TokenKind.Operator =>
            state.Checked(new Expression.List(Items("]", () => Expressions.One()), SequenceKind.List)),
        "{" when open.Kind == TokenKind.Operator => state.Checked(new Expression.Dictionary(Items("}", Entry))),
        _ => throw TemplateException.Syntax($"unexpected {open}"),
    };

    private Expression Part(Expression operand)
    {
        var start = tokens.Current.IsOperator(":") ? null : Expressions.One();
        if (!tokens.Skip(":")) return start!;
        var stop = EndsPart() || tokens.Current.IsOperator(":") ? null : Expressions.One();
        var step = tokens.Skip(":") && !EndsPart() ? Expressions.One() : null;
        return new Expression.Slice(operand, start, stop, step);
    }

    private bool EndsPart() => tokens.Current.IsOperator("]") || tokens.Current.IsOperator(",");

    private (string, Expression) Named(Expression? spreadNamed)
    {
        if (spreadNamed is not null) throw tokens.Unexpected();
        string name = tokens.Take().Text;
        tokens.Take();
        return (name, Expressions.One());
    }

    private Expression Parenthesised()
    {
        if (tokens.Skip(")")) return new Expression.List([], SequenceKind.Tuple);
        var inside = Expressions.Tuple();
        tokens.Expect(")");
        return inside;
    }

    private (Expression, Expression) Entry()
    {
        var key = Expressions.One();
        tokens.Expect(":");
        return (key, Expressions.One());
    }

    private List<T> Items<T>(string close, Func<T> read)
    {
        var items = new List<T>();
        while (!tokens.Skip(close))
        {
            items.Add(read());
            if (!tokens.Current.IsOperator(close)) tokens.Expect(",");
        }
        return items;
    }
}
