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

    public static string Swap(string text) => Map(text, (rune, at) => Rune.IsUpper(rune) ? LowerOf(rune, at) : UpperOf(rune));

    public static bool IsCased(Rune rune) =>
        Rune.GetUnicodeCategory(rune) <= UnicodeCategory.TitlecaseLetter
        || rune.Value is 0xAA or 0xBA or (>= 0x2160 and <= 0x217F) or (>= 0x24B6 and <= 0x24E9);

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

    private static string UpperOf(Rune rune) =>
        rune.IsBmp && s_growing.TryGetValue((char)rune.Value, out string? grown) ? grown : Rune.ToUpperInvariant(rune).ToString();

    private static string TitleOf(Rune rune) => rune.Value switch
    {
        // Digraphs with a title form of their own, and Georgian, whose capitals are not used in titles.
        >= 0x01C4 and <= 0x01CC => ((char)((rune.Value - 0x01C4) / 3 * 3 + 0x01C5)).ToString(),
        >= 0x01F1 and <= 0x01F3 => "\u01F2",
        >= 0x10D0 and <= 0x10FF => rune.ToString(),
        _ =>
            UpperOf(rune) is { Length: > 1 } grown && !char.IsSurrogate(grown[0])
                ? grown[0] + grown[1..].ToLowerInvariant()
                : UpperOf(rune),
    };

    private static string LowerOf(Rune rune, (string Text, int At) place) => rune.Value switch
    {
        0x0130 => "i\u0307",
        0x03A3 when IsFinal(place.Text, place.At) => "\u03C2",
        _ => Rune.ToLowerInvariant(rune).ToString(),
    };

    /// <summary>A sigma that ends a word: a cased letter before it and none behind it.</summary>
    private static bool IsFinal(string text, int at) =>
        at > 0 && IsCasedAt(text, at - 1) && !(at + 1 < text.Length && IsCasedAt(text, at + 1));

    private static bool IsCasedAt(string text, int at) => Rune.TryGetRuneAt(text, at, out var rune) && IsCased(rune);
}
