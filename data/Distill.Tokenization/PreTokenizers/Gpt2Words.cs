using System.Globalization;
using System.Text;

namespace Distill.Tokenization.PreTokenizers;

/// <summary>
/// GPT-2's word pattern as a scanner over code points:
/// <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>. Every character belongs to a word.
/// </summary>
internal static class Gpt2Words
{
    private enum Kind { Letter, Number, Space, Other }

    /// <summary>Where the word that starts at <paramref name="start"/> ends.</summary>
    public static int EndOfWord(ReadOnlySpan<char> text, int start)
    {
        int contraction = ContractionLength(text[start..]);
        if (contraction > 0) return start + contraction;
        int body = text[start] == ' ' ? start + 1 : start;
        if (body < text.Length && KindAt(text, body, out _) is var kind && kind != Kind.Space) return EndOfRun(text, body, kind);
        return EndOfSpace(text, start);
    }

    private static int EndOfRun(ReadOnlySpan<char> text, int start, Kind kind)
    {
        int at = start;
        while (at < text.Length && KindAt(text, at, out int length) == kind) at += length;
        return at;
    }

    /// <summary>A run of white space leaves its last character to the word that follows, if it has more than one.</summary>
    private static int EndOfSpace(ReadOnlySpan<char> text, int start)
    {
        int end = EndOfRun(text, start, Kind.Space);
        return end == text.Length || end - start == 1 ? end : end - 1;
    }

    private static int ContractionLength(ReadOnlySpan<char> text)
    {
        if (text[0] != '\'' || text.Length < 2) return 0;
        if (text[1] is 's' or 't' or 'm' or 'd') return 2;
        return text.Length > 2 && text[1..3] is "re" or "ve" or "ll" ? 3 : 0;
    }

    private static Kind KindAt(ReadOnlySpan<char> text, int at, out int length)
    {
        char c = text[at];
        length = 1;
        if (char.IsAscii(c))
            return char.IsAsciiLetter(c)
                ? Kind.Letter
                : char.IsAsciiDigit(c) ? Kind.Number : char.IsWhiteSpace(c) ? Kind.Space : Kind.Other;
        Rune.DecodeFromUtf16(text[at..], out var rune, out length);
        if (Rune.IsWhiteSpace(rune)) return Kind.Space;
        return Rune.GetUnicodeCategory(rune) switch
        {
            <= UnicodeCategory.OtherLetter => Kind.Letter,
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Kind.Number,
            _ => Kind.Other,
        };
    }
}
