using Distill.Templates.Values;

namespace Distill.Templates.Syntax;

/// <summary>
/// Reads expressions by recursive descent, with Jinja's precedence: conditional, or, and, not, comparison, + −, ~, * / // %, **, unary.
/// </summary>
internal sealed class ExpressionParser(TokenReader tokens, ParseState state)
{
    private static readonly Dictionary<string, ComparisonOperator> s_comparisons = new()
    {
        ["=="] = ComparisonOperator.Equal,
        ["!="] = ComparisonOperator.NotEqual,
        ["<"] = ComparisonOperator.Less,
        ["<="] = ComparisonOperator.LessOrEqual,
        [">"] = ComparisonOperator.Greater,
        [">="] = ComparisonOperator.GreaterOrEqual,
    };

    private readonly OperandParser _operands = new(tokens, state);

    /// <summary>One expression, or several with commas between as a tuple.</summary>
    /// <param name="stop">A word that may follow a trailing comma.</param>
    public Expression Tuple(bool withConditional = true, string? stop = null)
    {
        var first = One(withConditional);
        if (!tokens.Current.IsOperator(",")) return first;
        var items = new List<Expression> { first };
        while (tokens.Skip(",") && !Ends(tokens.Current, stop))
            items.Add(One(withConditional));
        return state.Checked(new Expression.List(items, SequenceKind.Tuple));
    }

    public Expression One(bool withConditional = true)
    {
        state.Enter();
        var expression = withConditional ? Conditional() : Or();
        state.Leave();
        return expression;
    }

    /// <summary>Filters without an input, as in <c>{% filter upper %}</c>.</summary>
    public Expression FilterChain() => _operands.Filters(null, first: true)!;

    private static bool Ends(Token token, string? stop) =>
        token.Kind == TokenKind.End || token.IsOperator(")") || token.IsOperator("=") || (stop is not null && token.IsName(stop));

    private Expression Conditional()
    {
        var then = Or();
        while (tokens.Skip("if"))
        {
            var condition = Or();
            var otherwise = tokens.Skip("else") ? One() : null;
            then = state.Checked(new Expression.Conditional(condition, then, otherwise));
        }
        return then;
    }

    private Expression Or()
    {
        var left = And();
        while (tokens.Skip("or")) left = state.Checked(new Expression.Logical(false, left, And()));
        return left;
    }

    private Expression And()
    {
        var left = Not();
        while (tokens.Skip("and")) left = state.Checked(new Expression.Logical(true, left, Not()));
        return left;
    }

    private Expression Not()
    {
        if (!tokens.Current.IsName("not")) return Comparison();
        tokens.Take();
        state.Enter();
        var negated = state.Checked(new Expression.Negation(Not()));
        state.Leave();
        return negated;
    }

    private Expression Comparison()
    {
        var first = Sum();
        var rest = new List<(ComparisonOperator, Expression)>();
        while (ComparisonSign() is { } sign) rest.Add((sign, Sum()));
        return rest.Count == 0 ? first : state.Checked(new Expression.Comparison(first, rest));
    }

    private ComparisonOperator? ComparisonSign()
    {
        if (tokens.Skip("in")) return ComparisonOperator.In;
        if (tokens.Current.IsName("not") && tokens.Following.IsName("in"))
        {
            tokens.Take();
            tokens.Take();
            return ComparisonOperator.NotIn;
        }
        if (tokens.Current.Kind != TokenKind.Operator || !s_comparisons.TryGetValue(tokens.Current.Text, out var sign)) return null;
        tokens.Take();
        return sign;
    }

    private Expression Sum()
    {
        var left = Concatenation();
        while (tokens.Current is { Kind: TokenKind.Operator, Text: "+" or "-" })
            left = Binary(tokens.Take().Text == "+" ? BinaryOperator.Add : BinaryOperator.Subtract, left, Concatenation());
        return left;
    }

    private Expression Concatenation()
    {
        var first = Product();
        if (!tokens.Current.IsOperator("~")) return first;
        var parts = new List<Expression> { first };
        while (tokens.Skip("~")) parts.Add(Product());
        return state.Checked(new Expression.Concatenation(parts));
    }

    private Expression Product()
    {
        var left = Power();
        while (tokens.Current is { Kind: TokenKind.Operator, Text: "*" or "/" or "//" or "%" })
        {
            var sign = tokens.Take().Text switch { "*" => BinaryOperator.Multiply, "/" => BinaryOperator.Divide,
                "//" => BinaryOperator.FloorDivide, _ => BinaryOperator.Modulo };
            left = Binary(sign, left, Power());
        }
        return left;
    }

    /// <summary>From left to right, unlike Python's.</summary>
    private Expression Power()
    {
        var left = _operands.Unary();
        while (tokens.Skip("**")) left = Binary(BinaryOperator.Power, left, _operands.Unary());
        return left;
    }

    private Expression.Binary Binary(BinaryOperator sign, Expression left, Expression right) =>
        state.Checked(new Expression.Binary(sign, left, right));
}
