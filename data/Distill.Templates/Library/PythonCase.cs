using System.Buffers;
using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Distill.Templates.Library;

/// <summary>
/// Upper, lower and title case as Python's <c>str</c> has them: Unicode's simple mappings and the 102 that grow ("ß" → "SS").
/// </summary>
internal static class PythonCase
{
    // Each word: a character and its upper case (SpecialCasing.txt, unconditional mappings).
    private static readonly FrozenDictionary<char, string> s_growing = (
        "ßSS ŉʼN ǰJ\u030C ΐΙ\u0308\u0301 ΰΥ\u0308\u0301 ևԵՒ ẖH\u0331 ẗT\u0308 ẘW\u030A ẙY\u030A ẚAʾ ὐΥ\u0313 "
        + "ὒΥ\u0313\u0300 ὔΥ\u0313\u0301 ὖΥ\u0313\u0342 ᾀἈΙ ᾁἉΙ ᾂἊΙ ᾃἋΙ ᾄἌΙ ᾅἍΙ ᾆἎΙ ᾇἏΙ ᾈἈΙ ᾉἉΙ ᾊἊΙ ᾋἋΙ ᾌἌΙ ᾍἍΙ ᾎἎΙ ᾏἏΙ "
        + "ᾐἨΙ ᾑἩΙ ᾒἪΙ ᾓἫΙ ᾔἬΙ ᾕἭΙ ᾖἮΙ ᾗἯΙ ᾘἨΙ ᾙἩΙ ᾚἪΙ ᾛἫΙ ᾜἬΙ ᾝἭΙ ᾞἮΙ ᾟἯΙ ᾠὨΙ ᾡὩΙ ᾢὪΙ ᾣὫΙ ᾤὬΙ ᾥὭΙ ᾦὮΙ ᾧὯΙ ᾨὨΙ ᾩὩΙ ᾪὪΙ "
        + "ᾫὫΙ ᾬὬΙ ᾭὭΙ ᾮὮΙ ᾯὯΙ ᾲᾺΙ ᾳΑΙ ᾴΆΙ ᾶΑ\u0342 ᾷΑ\u0342Ι ᾼΑΙ ῂῊΙ ῃΗΙ ῄΉΙ ῆΗ\u0342 ῇΗ\u0342Ι ῌΗΙ ῒΙ\u0308\u0300 "
        + "ΐΙ\u0308\u0301 ῖΙ\u0342 ῗΙ\u0308\u0342 ῢΥ\u0308\u0300 ΰΥ\u0308\u0301 ῤΡ\u0313 ῦΥ\u0342 ῧΥ\u0308\u0342 ῲῺΙ ῳΩΙ "
        + "ῴΏΙ ῶΩ\u0342 ῷΩ\u0342Ι ῼΩΙ ﬀFF ﬁFI ﬂFL ﬃFFI ﬄFFL ﬅST ﬆST ﬓՄՆ ﬔՄԵ ﬕՄԻ ﬖՎՆ ﬗՄԽ")
        .Split(' ').ToFrozenDictionary(word => word[0], word => word[1..]);

    public static string Upper(string text) => Map(text, (rune, _) => UpperOf(rune));

    public static string Lower(string text) => Map(text, LowerOf);

    /// <summary>Each run of cased letters with a capital first.</summary>
    public static string Title(string text)
    {
        bool inWord = false;
        return Map(text, (rune, at) =>
        {
            string changed = inWord ? LowerOf(rune, at) : TitleOf(rune);
            inWord = IsCased(rune);
            return changed;
        });
    }

    public static string Capitalize(string text)
    {
        bool first = true;
        return Map(text, (rune, at) =>
        {
            string changed = first ? TitleOf(rune) : LowerOf(rune, at);
            first = false;
            return changed;
        });
    }

    public static string Swap(string text) => Map(text, (rune, at) =>
        IsUpper(rune) ? LowerOf(rune, at) : IsLower(rune) ? UpperOf(rune) : rune.ToString());

    /// <summary>Full case folding: for comparing without regard to case.</summary>
    public static string Fold(string text) => Map(text, (rune, _) => FoldOf(rune));

    /// <summary>Has case: capitals, small letters, and the digraphs that have a capital and a small part.</summary>
    public static bool IsCased(Rune rune) =>
        IsUpper(rune) || IsLower(rune) || Rune.GetUnicodeCategory(rune) == UnicodeCategory.TitlecaseLetter;

    /// <summary>Unicode's property Uppercase: capitals, and symbols that look like them.</summary>
    public static bool IsUpper(Rune rune) => Rune.GetUnicodeCategory(rune) == UnicodeCategory.UppercaseLetter || rune.Value
        is (>= 0x2160 and <= 0x216F) or (>= 0x24B6 and <= 0x24CF)
        or (>= 0x1F130 and <= 0x1F149) or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189);

    /// <summary>Unicode's property Lowercase: small letters, and modifiers and symbols that look like them.</summary>
    public static bool IsLower(Rune rune) => Rune.GetUnicodeCategory(rune) == UnicodeCategory.LowercaseLetter || rune.Value
        is 0xAA or 0xBA or (>= 0x2B0 and <= 0x2B8) or 0x2C0 or 0x2C1 or (>= 0x2E0 and <= 0x2E4) or 0x345 or 0x37A
        or (>= 0x1D2C and <= 0x1D6A) or 0x1D78 or (>= 0x1D9B and <= 0x1DBF) or 0x2071 or 0x207F or (>= 0x2090 and <= 0x209C)
        or (>= 0x2170 and <= 0x217F) or (>= 0x24D0 and <= 0x24E9) or 0x2C7C or 0x2C7D or 0xA69C or 0xA69D or 0xA770 or 0xA7F8 or 0xA7F9
        or (>= 0xAB5C and <= 0xAB5F) or 0x10780 or (>= 0x10783 and <= 0x10785) or (>= 0x10787 and <= 0x107B0)
        or (>= 0x107B2 and <= 0x107BA);

    private static string Map(string text, Func<Rune, (string Text, int At), string> change)
    {
        var changed = new StringBuilder(text.Length);
        for (int at = 0; at < text.Length;)
        {
            bool valid = Rune.TryGetRuneAt(text, at, out var rune);
            if (valid) changed.Append(change(rune, (text, at)));
            else changed.Append(text[at]);
            at += valid ? rune.Utf16SequenceLength : 1;
        }
        return changed.ToString();
    }

    private static string UpperOf(Rune rune) => rune.Value switch
    {
        // Two whose capitals are ASCII; .NET's invariant culture leaves them as they are.
        0x131 => "I",
        0x17F => "S",
        _ => rune.IsBmp && s_growing.TryGetValue((char)rune.Value, out string? grown) ? grown : Rune.ToUpperInvariant(rune).ToString(),
    };

    private static string TitleOf(Rune rune) => rune.Value switch
    {
        // Digraphs with a title form of their own, and Georgian, whose capitals are not used in titles.
        >= 0x01C4 and <= 0x01CC => ((char)((rune.Value - 0x01C4) / 3 * 3 + 0x01C5)).ToString(),
        >= 0x01F1 and <= 0x01F3 => "\u01F2",
        >= 0x10D0 and <= 0x10FF => rune.ToString(),
        // Greek with an iota below: capitals write it beside, titles keep it below.
        >= 0x1F80 and <= 0x1FAF => ((char)(rune.Value | 8)).ToString(),
        0x1FB3 or 0x1FBC or 0x1FC3 or 0x1FCC or 0x1FF3 or 0x1FFC => ((char)((rune.Value & 0xFFF0) | 0xC)).ToString(),
        0x1FB2 or 0x1FB4 or 0x1FB7 or 0x1FC2 or 0x1FC4 or 0x1FC7 or 0x1FF2 or 0x1FF4 or 0x1FF7 => UpperOf(rune)[..^1] + "\u0345",
        // Ligatures.
        0xDF or 0x587 or (>= 0xFB00 and <= 0xFB06) or (>= 0xFB13 and <= 0xFB17) =>
            UpperOf(rune)[..1] + UpperOf(rune)[1..].ToLowerInvariant(),
        _ => UpperOf(rune),
    };

    private static string FoldOf(Rune rune) => rune.Value switch
    {
        0x131 => rune.ToString(),
        0x1E9E => "ss",
        // Cherokee folds to capitals, which are older than its small letters.
        (>= 0x13A0 and <= 0x13F5) or (>= 0x13F8 and <= 0x13FD) or (>= 0xAB70 and <= 0xABBF) => UpperOf(rune),
        0x130 => "i\u0307",
        _ => UpperOf(rune).ToLowerInvariant(),
    };

    private static string LowerOf(Rune rune, (string Text, int At) place) => rune.Value switch
    {
        0x0130 => "i\u0307",
        0x03A3 when IsFinal(place.Text, place.At) => "\u03C2",
        _ => Rune.ToLowerInvariant(rune).ToString(),
    };

    /// <summary>A sigma that ends a word: a cased letter before it and none behind it, whatever marks lie between.</summary>
    private static bool IsFinal(string text, int at)
    {
        int before = at, after = at + 1;
        while (before > 0 && Rune.DecodeLastFromUtf16(text.AsSpan(0, before), out var rune, out int length) == OperationStatus.Done
            && IsIgnorable(rune)) before -= length;
        while (Rune.DecodeFromUtf16(text.AsSpan(after), out var rune, out int length) == OperationStatus.Done && IsIgnorable(rune))
            after += length;
        return Rune.DecodeLastFromUtf16(text.AsSpan(0, before), out var last, out _) == OperationStatus.Done && IsCased(last)
            && !(Rune.DecodeFromUtf16(text.AsSpan(after), out var next, out _) == OperationStatus.Done && IsCased(next));
    }

    /// <summary>Unicode's property Case_Ignorable: marks, modifiers, and the punctuation that stands inside words.</summary>
    private static bool IsIgnorable(Rune rune) => rune.Value
        is '\'' or '.' or ':' or 0xB7 or 0x387 or 0x55F or 0x5F4 or 0x2018 or 0x2019 or 0x2024 or 0x2027
        or 0xFE13 or 0xFE52 or 0xFE55 or 0xFF07 or 0xFF0E or 0xFF1A
        || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format
        or UnicodeCategory.ModifierLetter or UnicodeCategory.ModifierSymbol;
}
