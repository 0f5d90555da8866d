using System.Text;
using Distill.Verification.Mathematics.Numbers;

namespace Distill.Verification.Mathematics.Reading;

/// <summary>Numbers, variables, fractions, roots and functions.</summary>
internal sealed partial class ExpressionParser
{
    private const int MaxSubscript = 20;
    private const int MaxRootDegree = 1_000;

    private Expression? ReadNumber()
    {
        var token = items[at++];
        return MixedWith(token) is { } mixed ? mixed : NumberReader.Value(token.Text);
    }

    /// <returns>A mixed number such as <c>4\frac{3}{8}</c> or <c>4 3/8</c>; null when the number stands alone.</returns>
    private Literal? MixedWith(Token whole)
    {
        int start = at;
        if (!whole.Text.All(char.IsAsciiDigit)) return null;
        string? numerator, denominator;
        if (HasMore && items[at].Is(TokenKind.Command, "frac"))
        {
            at++;
            (numerator, denominator) = TakeTwoDigits() ?? (TakeBraced(), TakeBraced());
        }
        else
        {
            bool isApart = HasMore && items[at].AfterBlank;
            numerator = isApart ? TakeWholeNumber() : null;
            denominator = numerator is not null && Take("/") ? TakeWholeNumber() : null;
        }

        if (numerator is not null && denominator is not null
            && NumberReader.Value(numerator) is Literal top && NumberReader.Value(denominator) is Literal bottom
            && bottom.Value.Sign > 0 && (top.Value - bottom.Value).Sign < 0 && NumberReader.Value(whole.Text) is Literal integer)
            return Literal.Of(integer.Value + (top.Value / bottom.Value));
        at = start;
        return null;
    }

    private string? TakeWholeNumber() =>
        HasMore && items[at].Kind == TokenKind.Number && items[at].Text.All(char.IsAsciiDigit) ? items[at++].Text : null;

    private string? TakeBraced() => Take("{") && TakeWholeNumber() is { } digits && Take("}") ? digits : null;

    // Of the number in \frac12, LaTeX takes one digit for each part.
    private (string? Numerator, string? Denominator)? TakeTwoDigits() =>
        TakeWholeNumber() is { Length: 2 } digits ? (digits[..1], digits[1..]) : null;

    private Name? ReadVariable()
    {
        string letter = items[at++].Text;
        string? subscript = Take("_") ? ReadSubscript() : "";
        if (subscript is null) return null;
        return new Name(subscript.Length > 0 ? $"{letter}_{subscript}" : letter == "π" ? Name.Pi : letter);
    }

    private string? ReadSubscript()
    {
        if (!HasMore) return null;
        if (!Take("{")) return items[at].Kind is TokenKind.Number or TokenKind.Word ? items[at++].Text : null;
        var text = new StringBuilder();
        while (HasMore && !IsSign("}") && text.Length < MaxSubscript) text.Append(items[at++].Text);
        return Take("}") ? text.ToString() : null;
    }

    private Expression? ReadCommand()
    {
        string command = items[at++].Text;
        return command switch
        {
            "frac" => ReadArgument() is { } top && ReadArgument() is { } bottom ? new Quotient(top, bottom) : null,
            "binom" => ReadArgument() is { } upper && ReadArgument() is { } lower ? new Binomial(upper, lower) : null,
            "sqrt" => ReadRoot(),
            "log" => ReadLogarithm(),
            _ => Functions.Named(command) is { } function ? ReadCall(function) : null,
        };
    }

    /// <summary>What a command takes: a group, or else one token, of a number one digit.</summary>
    private Expression? ReadArgument()
    {
        if (!HasMore) return null;
        if (items[at] is not { Kind: TokenKind.Number, Text: { Length: > 1 } digits }) return ReadAtom();
        items[at] = items[at] with { Text = digits[1..], AfterBlank = false };
        return char.IsAsciiDigit(digits[0]) ? Literal.Of(digits[0] - '0') : null;
    }

    private Root? ReadRoot()
    {
        int degree = 2;
        if (IsSign("["))
        {
            if (ReadGroup("]")?.AsLiteral()?.Value is not { IsInteger: true } given) return null;
            if (given.Sign <= 0 || given.Numerator > MaxRootDegree) return null;
            degree = (int)given.Numerator;
        }

        return ReadAtom() is { } radicand ? new Root(radicand, degree) : null;
    }

    private Expression? ReadLogarithm()
    {
        Expression value = Literal.Of(10);
        if (Take("_"))
        {
            bool isLast = at + 1 >= items.Count;
            if ((isLast ? ReadArgument() : ReadAtom()) is not { } given) return null;
            value = given;
        }

        return WithFunctionArgument(argument => new Logarithm(value, argument));
    }

    private Expression? ReadCall(Function function)
    {
        var exponent = Take("^") ? ReadExponent() : null;
        bool isInverse = exponent?.AsLiteral() is { } number && number.Value == -Rational.One;
        if (isInverse && Functions.Inverse(function) is { } inverse) (function, exponent) = (inverse, null);
        return WithFunctionArgument(argument => exponent is null
            ? new Call(function, argument)
            : new Power(new Call(function, argument), exponent));
    }

    private Expression? WithFunctionArgument(Func<Expression, Expression> make)
    {
        if (++depth > MaxDepth) return null;
        var argument = IsSign("(") || IsSign("{") ? ReadAtom() : ReadBareArgument();
        depth--;
        return argument is null ? null : make(argument);
    }

    // sin 2x is sin(2x); 2 sin x cos x ends the first argument where the next function begins.
    private Expression? ReadBareArgument()
    {
        var factors = new List<Expression>();
        while (StartsFactor() && !(factors.Count > 0 && IsFunction()))
        {
            if (ReadFactor() is not { } factor) return null;
            factors.Add(factor);
        }

        return factors.Count == 0 ? null : ProductOf(factors);
    }

    private bool IsFunction() => items[at].Kind == TokenKind.Command && Functions.IsName(items[at].Text) && items[at].Text != "sqrt";
}
