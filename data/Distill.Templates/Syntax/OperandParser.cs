using System.Globalization;
using System.Numerics;
using Distill.Templates.Values;

namespace Distill.Templates.Syntax;

/// <summary>
/// Reads what operators stand between: literals, names, brackets, and the attributes, calls, filters and tests behind them.
/// </summary>
internal sealed class OperandParser(TokenReader tokens, ParseState state)
{
    private readonly ArgumentParser _arguments = new(tokens, state);

    public Expression Unary(bool withFilters = true)
    {
        state.Enter();
        Expression operand;
        if (tokens.Skip("-")) operand = state.Checked(new Expression.Sign(Unary(withFilters: false), IsMinus: true));
        else if (tokens.Skip("+")) operand = state.Checked(new Expression.Sign(Unary(withFilters: false), IsMinus: false));
        else operand = Primary();
        operand = Postfixes(operand);
        if (withFilters) operand = Filters(operand)!;
        state.Leave();
        return operand;
    }

    /// <summary>Filters, tests and calls behind an operand.</summary>
    /// <param name="first">The chain begins with a filter's name, without <c>|</c>.</param>
    public Expression? Filters(Expression? operand, bool first = false)
    {
        while (true)
        {
            if (first || tokens.Skip("|")) operand = Filter(operand);
            else if (operand is not null && tokens.Skip("is")) operand = Test(operand);
            else if (operand is not null && tokens.Current.IsOperator("(")) operand = Call(operand);
            else return operand;
            first = false;
        }
    }

    private Expression Filter(Expression? input)
    {
        string name = DottedName();
        return state.Checked(new Expression.Filter(input, name, tokens.Current.IsOperator("(") ? _arguments.Read() : Arguments.None));
    }

    private Expression Test(Expression input)
    {
        bool negated = tokens.Skip("not");
        string name = DottedName();
        var arguments = Arguments.None;
        if (tokens.Current.IsOperator("(")) arguments = _arguments.Read();
        else if (StartsOperand(tokens.Current))
        {
            if (tokens.Current.IsName("is")) throw TemplateException.Syntax("tests cannot be chained with 'is'");
            arguments = new Arguments([Postfixes(Primary())], []);
        }
        var test = state.Checked(new Expression.Test(input, name, arguments));
        return negated ? state.Checked(new Expression.Negation(test)) : test;
    }

    private static bool StartsOperand(Token token) => token.Kind switch
    {
        TokenKind.Name => token.Text is not ("else" or "or" or "and"),
        TokenKind.String or TokenKind.Integer or TokenKind.Float => true,
        _ => token.IsOperator("[") || token.IsOperator("{"),
    };

    private string DottedName()
    {
        string name = tokens.ExpectName();
        while (tokens.Skip(".")) name += "." + tokens.ExpectName();
        return name;
    }

    private Expression Postfixes(Expression operand)
    {
        while (true)
        {
            if (tokens.Skip(".")) operand = AfterDot(operand);
            else if (tokens.Current.IsOperator("[")) operand = _arguments.Subscript(operand);
            else if (tokens.Current.IsOperator("(")) operand = Call(operand);
            else return operand;
            state.Checked(operand);
        }
    }

    private Expression AfterDot(Expression operand) => tokens.Current.Kind switch
    {
        TokenKind.Name => new Expression.Attribute(operand, tokens.Take().Text),
        TokenKind.Integer => new Expression.Item(operand, Number(tokens.Take())),
        _ => throw tokens.Unexpected(),
    };

    private Expression.Call Call(Expression operand) => state.Checked(new Expression.Call(operand, _arguments.Read()));

    private Expression Primary()
    {
        var token = tokens.Take();
        switch (token.Kind)
        {
            case TokenKind.Name:
                return Name(token.Text);
            case TokenKind.String:
                string text = token.Text;
                while (tokens.Current.Kind == TokenKind.String) text += tokens.Take().Text;
                return new Expression.Constant(Text.Own(text));
            case TokenKind.Integer or TokenKind.Float:
                return Number(token);
            default:
                return _arguments.Bracketed(token);
        }
    }

    private Expression Name(string name)
    {
        Value? constant = name switch
        {
            "true" or "True" => Values.Boolean.True,
            "false" or "False" => Values.Boolean.False,
            "none" or "None" => None.Instance,
            _ => null,
        };
        if (constant is not null) return new Expression.Constant(constant);
        if (char.IsDigit(name[0])) throw TemplateException.Syntax($"'{name}' is no name");
        state.NamesRead.Add(name);
        return new Expression.Name(name);
    }

    private static Expression.Constant Number(Token token)
    {
        if (token.Kind == TokenKind.Float)
            return new Expression.Constant(new Float(double.Parse(token.Text, CultureInfo.InvariantCulture)));
        if (token.Text.Length > 4300) throw TemplateException.Limit("a number of the template has more than 4300 digits");
        var value = token.Text.Length < 2
            ? BigInteger.Parse(token.Text, CultureInfo.InvariantCulture)
            : char.ToLowerInvariant(token.Text[1]) switch
        {
            'x' => BigInteger.Parse("0" + token.Text[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture),
            'b' => BigInteger.Parse("0" + token.Text[2..], NumberStyles.AllowBinarySpecifier, CultureInfo.InvariantCulture),
            'o' => token.Text[2..].Aggregate(BigInteger.Zero, (sum, digit) => sum * 8 + (digit - '0')),
            _ => BigInteger.Parse(token.Text, CultureInfo.InvariantCulture),
        };
        return new Expression.Constant(new Integer(value));
    }
}
