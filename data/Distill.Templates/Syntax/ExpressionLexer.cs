using System.Globalization;
using System.Text.RegularExpressions;
using System.Text;
using Distill.Templates.Runtime;

namespace Distill.Templates.Syntax;

/// <summary>Cuts the inside of a tag into tokens. Brackets keep the tag open: <c>{{ {'a': {}} }}</c> is one tag.</summary>
internal static partial class ExpressionLexer
{
    private static readonly string[] s_operators =
        ["**", "//", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",",
            ";"];

    /// <summary>Reads up to the closing mark, with <paramref name="at"/> left on it or on the sign before it.</summary>
    public static List<Token> Read(string source, ref int at, string close, bool allowPlus)
    {
        var tokens = new List<Token>();
        var brackets = new Stack<char>();
        while (true)
        {
            while (at < source.Length && PythonSpace.IsSpace(source[at])) at++;
            if (at >= source.Length) throw TemplateException.Syntax($"a tag has no end; '{close}' is missing");
            if (brackets.Count == 0 && IsClose(source, at, close, allowPlus)) break;
            tokens.Add(Next(source, ref at));
            Balance(brackets, tokens[^1]);
        }
        tokens.Add(new Token(TokenKind.End, ""));
        return tokens;
    }

    private static bool IsClose(string source, int at, string close, bool allowPlus)
    {
        if (source[at] == '-' || (source[at] == '+' && allowPlus)) at++;
        return string.CompareOrdinal(source, at, close, 0, close.Length) == 0;
    }

    private static Token Next(string source, ref int at)
    {
        char c = source[at];
        if (c is '\'' or '"') return new Token(TokenKind.String, StringLiteral.Read(source, ref at));
        if (char.IsAsciiDigit(c)) return Number(source, ref at, afterDot: at > 0 && source[at - 1] == '.');
        if (IsNameCharacter(c))
        {
            int start = at;
            while (at < source.Length && IsNameCharacter(source[at])) at++;
            return new Token(TokenKind.Name, source[start..at]);
        }
        foreach (string text in s_operators)
        {
            if (string.CompareOrdinal(source, at, text, 0, text.Length) != 0) continue;
            at += text.Length;
            return new Token(TokenKind.Operator, text);
        }
        throw TemplateException.Syntax($"unexpected character U+{(int)c:X4} in a tag");
    }

    private static Token Number(string source, ref int at, bool afterDot)
    {
        var match = afterDot ? Match.Empty : FloatPattern().Match(source, at);
        var kind = match.Success ? TokenKind.Float : TokenKind.Integer;
        if (!match.Success) match = IntegerPattern().Match(source, at);
        at += match.Length;
        return new Token(kind, match.Value.Replace("_", ""));
    }

    private static void Balance(Stack<char> brackets, Token token)
    {
        if (token.Kind != TokenKind.Operator) return;
        char closing = token.Text switch { "(" => ')', "[" => ']', "{" => '}', _ => '\0' };
        if (closing != '\0') brackets.Push(closing);
        else if (token.Text is ")" or "]" or "}" && (!brackets.TryPop(out char expected) || expected != token.Text[0]))
            throw TemplateException.Syntax($"unexpected '{token.Text}'");
    }

    private static bool IsNameCharacter(char c) => c == '_' || char.IsLetterOrDigit(c)
        || char.GetUnicodeCategory(c)
        is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.LetterNumber;

    [GeneratedRegex(@"\G([0-9]+_)*[0-9]+((\.([0-9]+_)*[0-9]+)?[eE][+-]?([0-9]+_)*[0-9]+|\.([0-9]+_)*[0-9]+)",
        RegexOptions.CultureInvariant)]
    private static partial Regex FloatPattern();

    [GeneratedRegex(@"\G(0[bB](_?[01])+|0[oO](_?[0-7])+|0[xX](_?[0-9a-fA-F])+|[1-9](_?[0-9])*|0(_?0)*)", RegexOptions.CultureInvariant)]
    private static partial Regex IntegerPattern();
}

/// <summary>Quoted strings with Python's escapes; an unknown escape stands for itself.</summary>
internal static class StringLiteral
{
    /// <summary>Reads from the opening quote and leaves <paramref name="at"/> behind the closing one.</summary>
    public static string Read(string source, ref int at)
    {
        char quote = source[at++];
        var text = new StringBuilder();
        while (at < source.Length && source[at] != quote)
        {
            if (source[at] == '\\') Escape(source, ref at, text);
            else text.Append(source[at++]);
        }
        if (at++ >= source.Length) throw TemplateException.Syntax("a string has no closing quote");
        return text.ToString();
    }

    private static void Escape(string source, ref int at, StringBuilder text)
    {
        if (at + 1 >= source.Length) throw TemplateException.Syntax("a string has no closing quote");
        char kind = source[at + 1];
        at += 2;
        if (Simple(kind) is { } simple) text.Append(simple);
        else if (kind is 'x' or 'u' or 'U') AppendCodePoint(text, Digits(source, ref at, kind switch { 'x' => 2, 'u' => 4, _ => 8 }));
        else if (kind is >= '0' and <= '7') AppendCodePoint(text, Octal(source, ref at));
        else if (kind == 'N') throw TemplateException.Unsupported("character names in strings are not supported");
        else if (kind != '\n') text.Append('\\').Append(kind);
    }

    private static char? Simple(char kind) => kind switch
    {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'a' => '\a',
        'b' => '\b',
        'f' => '\f',
        'v' => '\v',
        '\\' or '\'' or '"' => kind,
        _ => null,
    };

    private static int Digits(string source, ref int at, int count)
    {
        if (at + count > source.Length || !int.TryParse(source.AsSpan(at, count), NumberStyles.AllowHexSpecifier,
            CultureInfo.InvariantCulture, out int code))
            throw TemplateException.Syntax("an escape in a string lacks digits");
        at += count;
        return code;
    }

    private static int Octal(string source, ref int at)
    {
        int code = 0;
        at--;
        for (int i = 0; i < 3 && at < source.Length && source[at] is >= '0' and <= '7'; i++) code = code * 8 + (source[at++] - '0');
        return code;
    }

    /// <summary>Surrogates may stand alone here, as in Python.</summary>
    private static void AppendCodePoint(StringBuilder text, int code)
    {
        if (code is < 0 or > 0x10FFFF) throw TemplateException.Syntax("an escape in a string is no character");
        if (code <= 0xFFFF) text.Append((char)code);
        else text.Append(char.ConvertFromUtf32(code));
    }
}
