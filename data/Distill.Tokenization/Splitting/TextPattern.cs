using System.Globalization;
using System.Text.RegularExpressions;
using System.Text;
using Distill.Templates;

namespace Distill.Tokenization.Splitting;

/// <summary>A literal or a regular expression from a tokenizer file, matched over code points. Immutable and thread-safe.</summary>
internal sealed class TextPattern
{
    private static readonly TimeSpan s_timeLimit = TimeSpan.FromSeconds(5);

    private readonly string? _literal;
    private readonly Regex? _regex;

    private TextPattern(string? literal, Regex? regex) => (_literal, _regex) = (literal, regex);

    public static TextPattern Literal(string text) => new(text, null);

    /// <summary>
    /// Compiled without backtracking where that can express the pattern, so that matching takes time in proportion to the text; otherwise
    /// every match has a time limit.
    /// </summary>
    /// <exception cref="InvalidDataException">The pattern cannot be compiled, or would mean something else here than in its own
    /// dialect.</exception>
    public static TextPattern Expression(string pattern)
    {
        PatternDialect.Check(pattern);
        try
        {
            return new TextPattern(null, Compile(pattern));
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"pattern '{pattern}' cannot be compiled: {e.Message}", e);
        }
    }

    /// <summary>Matches within [start, end), in order and without overlap, as if there were no text around it.</summary>
    /// <exception cref="InvalidDataException">The pattern takes too long on this text.</exception>
    public List<TextRange> Matches(string text, int start, int end) =>
        _literal is { } literal ? Literals(text, start, end, literal) : Expressions(text, start, end);

    private List<TextRange> Expressions(string text, int start, int end)
    {
        var matches = new List<TextRange>();
        var view = CodePointView.Of(text.AsSpan(start, end - start));
        try
        {
            foreach (var match in _regex!.EnumerateMatches(view.Characters(text.AsSpan(start, end - start))))
                matches.Add(new TextRange(start + view.Position(match.Index), start + view.Position(match.Index + match.Length)));
        }
        catch (RegexMatchTimeoutException e)
        {
            string reason = $"takes longer than {s_timeLimit.TotalSeconds} s on a text of {end - start} characters";
            throw new InvalidDataException($"pattern '{_regex}' {reason}", e);
        }
        return matches;
    }

    private static List<TextRange> Literals(string text, int start, int end, string literal)
    {
        var matches = new List<TextRange>();
        if (literal.Length == 0) return matches;
        for (int at = start; at < end; at = matches[^1].End)
        {
            int found = text.AsSpan(at, end - at).IndexOf(literal, StringComparison.Ordinal);
            if (found < 0) break;
            matches.Add(new TextRange(at + found, at + found + literal.Length));
        }
        return matches;
    }

    private static Regex Compile(string pattern)
    {
        try
        {
            return new Regex(pattern, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking, s_timeLimit);
        }
        catch (NotSupportedException)
        {
            // Look-around, as in \s+(?!\S).
            return new Regex(pattern, RegexOptions.CultureInvariant, s_timeLimit);
        }
    }
}

/// <summary>Tokenizer files write Oniguruma's dialect. What .NET would read differently, or not by code points, is refused.</summary>
internal static class PatternDialect
{
    private const int Longest = 16 << 10;
    private const int Deepest = 50;

    /// <exception cref="InvalidDataException">The pattern uses such a feature; says which.</exception>
    public static void Check(string pattern)
    {
        if (pattern.Length > Longest) throw Refused(pattern[..100], $"is longer than {Longest} characters");
        if (pattern.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF')) throw Refused(pattern, "holds characters beyond U+FFFF");
        int depth = 0;
        bool inClass = false, quantified = false;
        for (int at = 0; at < pattern.Length; at++)
        {
            char c = pattern[at];
            if (c == '\\') CheckEscape(pattern, ++at);
            else if (inClass && (c == '[' || (c == '&' && pattern[at..].StartsWith("&&", StringComparison.Ordinal))))
                throw Refused(pattern, "nests or intersects character classes");
            else if (c == '[') inClass = true;
            else if (c == ']') inClass = false;
            else if (!inClass && c == '(' && ++depth > Deepest) throw Refused(pattern, $"nests groups deeper than {Deepest}");
            else if (!inClass && c == ')') depth--;
            else if (!inClass && c == '+' && quantified) throw Refused(pattern, "uses possessive quantifiers");
            quantified = !inClass && c is '+' or '*' or '?';
        }
    }

    private static void CheckEscape(string pattern, int at)
    {
        if (at >= pattern.Length) throw Refused(pattern, "ends in a backslash");
        // Oniguruma: hexadecimal digit, line break, grapheme, group call, back reference by name, …
        if (pattern[at] is 'h' or 'H' or 'R' or 'X' or 'g' or 'k' or 'K' or 'y' or 'Y' or 'O' or 'N')
            throw Refused(pattern, $"uses '\\{pattern[at]}'");
    }

    private static InvalidDataException Refused(string pattern, string reason) =>
        new($"pattern '{pattern}' {reason}, which is not supported");
}

/// <summary>
/// A text for .NET's regular expressions, which see UTF-16 units: each character beyond U+FFFF is replaced by one below that has the same
/// general category and occurs in no published pattern, so that classes such as <c>\p{L}</c> and quantifiers count code points.
/// </summary>
internal readonly ref struct CodePointView
{
    private readonly string? _replaced;
    private readonly int[]? _positions;

    private CodePointView(string? replaced, int[]? positions) => (_replaced, _positions) = (replaced, positions);

    public static CodePointView Of(ReadOnlySpan<char> text)
    {
        if (!text.ContainsAnyInRange('\uD800', '\uDFFF')) return default;
        var replaced = new StringBuilder(text.Length);
        var positions = new List<int>(text.Length + 1);
        for (int at = 0; at < text.Length;)
        {
            Rune.DecodeFromUtf16(text[at..], out var rune, out int length);
            positions.Add(at);
            replaced.Append(rune.IsBmp ? (char)rune.Value : Representative(Rune.GetUnicodeCategory(rune)));
            at += length;
        }
        positions.Add(text.Length);
        return new CodePointView(replaced.ToString(), [.. positions]);
    }

    /// <summary>What the pattern is to see.</summary>
    public ReadOnlySpan<char> Characters(ReadOnlySpan<char> text) => _replaced is null ? text : _replaced;

    /// <summary>Where a character of the view stands in the text.</summary>
    public int Position(int at) => _positions is null ? at : _positions[at];

    private static char Representative(UnicodeCategory category) => category switch
    {
        UnicodeCategory.UppercaseLetter => '\uA640',
        UnicodeCategory.LowercaseLetter => '\uA641',
        UnicodeCategory.TitlecaseLetter => '\u1F88',
        UnicodeCategory.ModifierLetter => '\uA67F',
        UnicodeCategory.OtherLetter => '\uA016',
        UnicodeCategory.NonSpacingMark => '\uA66F',
        UnicodeCategory.SpacingCombiningMark => '\uA823',
        UnicodeCategory.EnclosingMark => '\uA670',
        UnicodeCategory.DecimalDigitNumber => '\uA620',
        UnicodeCategory.LetterNumber => '\uA6E6',
        UnicodeCategory.OtherNumber => '\uA830',
        UnicodeCategory.DashPunctuation => '\u2E3A',
        UnicodeCategory.OpenPunctuation => '\u2E28',
        UnicodeCategory.ClosePunctuation => '\u2E29',
        UnicodeCategory.OtherPunctuation => '\uA60D',
        UnicodeCategory.MathSymbol => '\u2A00',
        UnicodeCategory.CurrencySymbol => '\uA838',
        UnicodeCategory.ModifierSymbol => '\uA700',
        UnicodeCategory.OtherSymbol => '\uA490',
        UnicodeCategory.Format => '\u2064',
        UnicodeCategory.PrivateUse => '\uE000',
        _ => '\uFFFF',
    };
}

/// <summary>
/// \w of Unicode's regular expressions (UTS 18): letters, marks, decimal digits, connectors, the two joiners, and the symbols that count as
/// alphabetic (circled and squared Latin letters).
/// </summary>
internal static class WordCharacters
{
    public static bool Has(Rune rune) => rune.Value
        is 0x200C or 0x200D or (>= 0x24B6 and <= 0x24E9)
        or (>= 0x1F130 and <= 0x1F149) or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189)
        || Rune.GetUnicodeCategory(rune)
        is <= UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation;
}
