namespace Distill.Verification.Mathematics.Reading;

/// <summary>
/// Reads one expression: LaTeX or plain, with products that nobody wrote a sign for. Descends no deeper than a limit. One use per text.
/// </summary>
internal sealed partial class ExpressionParser
{
    private const int MaxDepth = 40;
    private const int MaxPostfixes = 8;
    private const int MaxQuotients = 12;
    private readonly List<Token> items;
    private int at;
    private int depth;
    private int bars;

    private ExpressionParser(List<Token> items) => this.items = items;

    /// <returns>Null when the tokens are not one whole expression.</returns>
    public static Expression? Parse(ReadOnlySpan<Token> tokens)
    {
        if (tokens.IsEmpty || ParserItems.Of(tokens) is not { } items) return null;
        var parser = new ExpressionParser(items);
        var result = parser.ReadSum();
        return parser.at == items.Count ? result : null;
    }

    private bool HasMore => at < items.Count;

    private bool IsSign(string sign) => HasMore && items[at].IsSign(sign);

    private bool Take(string sign)
    {
        if (!IsSign(sign)) return false;
        at++;
        return true;
    }

    private string? TakeAny(string first, string second, string third = "", string fourth = "")
    {
        if (!HasMore || items[at].Kind != TokenKind.Sign) return null;
        string sign = items[at].Text;
        if (sign != first && sign != second && sign != third && sign != fourth) return null;
        at++;
        return sign;
    }

    private Expression? ReadSum()
    {
        if (++depth > MaxDepth || ReadSigned(ReadTerm) is not { } first) return null;
        List<Expression> terms = [first];
        while (TakeAny("+", "-", "±", "∓") is { } sign)
        {
            if (ReadSigned(ReadTerm) is not { } term) return null;
            terms.Add(WithSign(sign, term));
        }

        depth--;
        return terms.Count == 1 ? first : new Sum(terms);
    }

    private Expression? ReadSigned(Func<Expression?> read)
    {
        var signs = new List<string>();
        while (TakeAny("+", "-", "±", "∓") is { } sign)
        {
            // Two minus signs are none: a row of thousands of them nests nothing.
            if (sign == "-" && signs.Count > 0 && signs[^1] == "-") signs.RemoveAt(signs.Count - 1);
            else if (sign != "+") signs.Add(sign);
            if (signs.Count > 2) return null;
        }

        if (read() is not { } result) return null;
        for (int i = signs.Count - 1; i >= 0; i--) result = WithSign(signs[i], result);
        return result;
    }

    private static Expression WithSign(string sign, Expression value) => sign switch
    {
        "-" => new Negation(value),
        "±" => new PlusMinus(value, IsTurned: false),
        "∓" => new PlusMinus(value, IsTurned: true),
        _ => value,
    };

    private Expression? ReadTerm()
    {
        if (ReadFactor() is not { } first) return null;
        List<Expression> factors = [first];
        int quotients = 0;
        while (HasMore)
        {
            if (TakeAny("*", "/") is { } sign)
            {
                if (ReadSigned(ReadFactor) is not { } factor || (sign == "/" && ++quotients > MaxQuotients)) return null;
                if (sign == "*") factors.Add(factor);
                else factors = [new Quotient(ProductOf(factors), factor)];
            }
            else if (StartsFactor() && !(items[at].Kind == TokenKind.Number && items[at - 1].Kind == TokenKind.Number))
            {
                if (ReadFactor() is not { } factor) return null;
                factors.Add(factor);
            }
            else
            {
                break;
            }
        }

        return ProductOf(factors);
    }

    private static Expression ProductOf(List<Expression> factors) => factors.Count == 1 ? factors[0] : new Product(factors);

    private bool StartsFactor() => HasMore && items[at].Kind switch
    {
        TokenKind.Number or TokenKind.Word or TokenKind.Command => true,
        TokenKind.Sign => items[at].Text is "(" or "[" or "{" or "⌊" or "⌈" or "∞" || (items[at].Text == "|" && bars == 0),
        _ => false,
    };

    private Expression? ReadFactor() => ReadAtom() is { } atom ? ReadPostfix(atom) : null;

    private Expression? ReadPostfix(Expression value)
    {
        int count = 0;
        while (TakeAny("!", "^", "°", "%") is { } sign)
        {
            if (sign == "^" && TakeDegree()) sign = "°";
            switch (sign)
            {
                case "!":
                    value = new Call(Take("!") ? Function.DoubleFactorial : Function.Factorial, value);
                    break;
                case "°":
                    value = new Call(Function.Degree, value);
                    break;
                case "%":
                    value = new Call(Function.Percent, value);
                    break;
                default:
                    if (ReadExponent() is not { } exponent) return null;
                    value = new Power(value, exponent);
                    break;
            }

            // 9!!!!!! of ten thousand signs would nest as deeply.
            if (++count > MaxPostfixes) return null;
        }

        return value;
    }

    private bool TakeDegree()
    {
        if (Take("°")) return true;
        bool isBraced = at + 2 < items.Count && items[at].IsSign("{") && items[at + 1].IsSign("°") && items[at + 2].IsSign("}");
        if (isBraced) at += 3;
        return isBraced;
    }

    private Expression? ReadExponent()
    {
        if (++depth > MaxDepth) return null;
        var exponent = ReadSigned(ReadAtom);
        // 2^3^2 is 2^(3^2).
        if (exponent is not null && Take("^")) exponent = ReadExponent() is { } upper ? new Power(exponent, upper) : null;
        depth--;
        return exponent;
    }

    private Expression? ReadAtom()
    {
        if (!HasMore) return null;
        var token = items[at];
        return token.Kind switch
        {
            TokenKind.Number => ReadNumber(),
            TokenKind.Word => ReadVariable(),
            TokenKind.Command => ReadCommand(),
            TokenKind.Sign => token.Text switch
            {
                "(" => ReadGroup(")"),
                "[" => ReadGroup("]"),
                "{" => ReadGroup("}"),
                "⌊" => ReadGroup("⌋") is { } inner ? new Call(Function.Floor, inner) : null,
                "⌈" => ReadGroup("⌉") is { } inner ? new Call(Function.Ceiling, inner) : null,
                "|" => ReadAbsolute(),
                "∞" => ReadInfinity(),
                _ => null,
            },
            _ => null,
        };
    }

    private Name ReadInfinity()
    {
        at++;
        return new Name(Name.Infinity);
    }

    private Expression? ReadGroup(string close)
    {
        at++;
        int outer = bars;
        bars = 0;
        var result = ReadSum();
        bars = outer;
        return Take(close) ? result : null;
    }

    private Call? ReadAbsolute()
    {
        at++;
        bars++;
        var result = ReadSum();
        bars--;
        return result is not null && Take("|") ? new Call(Function.Absolute, result) : null;
    }
}

/// <summary>Tokens as the parser wants them: letters apart, names of functions found in words.</summary>
internal static class ParserItems
{
    private const int MaxLettersInProduct = 4;

    /// <returns>Null when a word is no product of variables.</returns>
    public static List<Token>? Of(ReadOnlySpan<Token> tokens)
    {
        var items = new List<Token>(tokens.Length);
        foreach (var token in tokens)
        {
            if (token.Kind == TokenKind.Text) return null;
            if (token.Kind == TokenKind.Word)
            {
                if (!AddLetters(token, items)) return null;
            }
            else if (token.IsSign("*") && !token.AfterBlank && items.Count > 0 && items[^1].IsSign("*"))
            {
                // Two asterisks are a power.
                items[^1] = new Token(TokenKind.Sign, "^", items[^1].AfterBlank);
            }
            else
            {
                items.Add(token);
            }
        }

        return items;
    }

    private static bool AddLetters(Token word, List<Token> items)
    {
        if (EnglishWords.AreNoProducts.Contains(word.Text) || EnglishWords.OfTwoLetters.Contains(word.Text)) return false;
        int letters = 0;
        for (int i = 0; i < word.Text.Length;)
        {
            bool afterBlank = i == 0 && word.AfterBlank;
            if (Functions.At(word.Text, i) is { } name)
            {
                items.Add(name == "pi" ? new Token(TokenKind.Word, "π", afterBlank) : new Token(TokenKind.Command, name, afterBlank));
                i += name.Length;
                continue;
            }

            if (++letters > MaxLettersInProduct) return false;
            items.Add(new Token(TokenKind.Word, word.Text[i].ToString(), afterBlank));
            i++;
        }

        return true;
    }
}
