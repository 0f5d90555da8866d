using System.Globalization;
using System.Text;

namespace Distill.Storage;

/// <summary>
/// Text of files and of their writers, fit for a message: what would steer a terminal or hide itself (control characters, marks of
/// direction, line separators, halves of surrogate pairs) is spelled as an escape, e.g. <c>\u001B</c>.
/// </summary>
internal static class Printable
{
    private const int MaxQuoted = 120;

    public static string Of(string text)
    {
        if (!text.EnumerateRunes().Any(IsHidden))
            return text;
        var printable = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (Rune.TryGetRuneAt(text, i, out var rune) && !IsHidden(rune))
            {
                printable.Append(rune);
                i += rune.Utf16SequenceLength - 1;
            }
            else
            {
                printable.Append(CultureInfo.InvariantCulture, $"\\u{(int)text[i]:X4}");
            }
        }

        return printable.ToString();
    }

    /// <summary>In quotes, and cut when it is long: a word of a file can be a megabyte.</summary>
    public static string Quote(string text) => text.Length <= MaxQuoted ? $"'{Of(text)}'" : $"'{Of(text[..MaxQuoted])}…'";

    // Enumerating runes gives U+FFFD for half a pair.
    private static bool IsHidden(Rune rune) => rune == Rune.ReplacementChar || Rune.GetUnicodeCategory(rune) is
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
