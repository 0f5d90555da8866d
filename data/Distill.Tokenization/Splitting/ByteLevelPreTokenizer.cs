using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Distill.Tokenization.Splitting;

/// <summary>Cuts text by GPT-2's pattern; <see cref="Map"/> then writes a word's UTF-8 bytes in the byte alphabet.</summary>
/// <param name="addPrefixSpace">Puts a space before a piece that does not begin with white space.</param>
/// <param name="useRegex">False leaves pieces whole.</param>
/// <param name="mapNow">Write words in the byte alphabet at once; otherwise whoever encodes the words does it, once per distinct
/// word.</param>
internal sealed class ByteLevelPreTokenizer(bool addPrefixSpace, bool useRegex, bool mapNow) : IPreTokenizer
{
    public void Split(Piece piece, List<Piece> output)
    {
        if (addPrefixSpace && !piece.Span.StartsWith(' ')) piece = Piece.Of(" " + piece.Span.ToString(), piece.First);
        if (!useRegex)
        {
            Add(piece, output);
            return;
        }
        for (int at = 0; at < piece.Length;)
        {
            int end = Gpt2Words.EndOfWord(piece.Span, at);
            Add(piece.Slice(piece.Start + at, piece.Start + end), output);
            at = end;
        }
    }

    /// <summary>The UTF-8 bytes of a text, one character of the byte alphabet for each.</summary>
    public static string Map(ReadOnlySpan<char> text)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        int count = Encoding.UTF8.GetBytes(text, bytes);
        return string.Create(count, bytes, static (span, source) =>
        {
            for (int i = 0; i < span.Length; i++) span[i] = ByteAlphabet.CharacterOf(source[i]);
        });
    }

    private void Add(Piece word, List<Piece> output) => output.Add(mapNow ? Piece.Of(Map(word.Span), word.First) : word);
}

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

/// <summary>
/// The 256 printable characters that stand for bytes in byte-level vocabularies (Radford et al., GPT-2, `bytes_to_unicode`):
/// printable Latin-1 bytes stand for themselves, the other 68 are shifted to U+0100 and up.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] s_characters = Build();
    private static readonly FrozenDictionary<char, byte> s_bytes =
        Enumerable.Range(0, 256).ToFrozenDictionary(i => s_characters[i], i => (byte)i);

    public static char CharacterOf(byte value) => s_characters[value];

    public static bool TryByteOf(char character, out byte value) => s_bytes.TryGetValue(character, out value);

    private static char[] Build()
    {
        var characters = new char[256];
        int shifted = 0;
        for (int value = 0; value < 256; value++)
            characters[value] = IsPrintable(value) ? (char)value : (char)(256 + shifted++);
        return characters;
    }

    private static bool IsPrintable(int value) => value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
}
