using System.Globalization;
using System.Text;

namespace Distill.Tokenization.Templates.Syntax;

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
