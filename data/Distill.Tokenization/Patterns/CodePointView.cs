using System.Globalization;
using System.Text;

namespace Distill.Tokenization.Patterns;

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
