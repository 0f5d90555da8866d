using System.Globalization;
using System.Text;

namespace Distill.Cli.Output;

/// <summary>
/// Text in one line that shows every character: line ends, control characters, and those that leave no mark or turn the direction of
/// writing are spelled as in JSON. Unlike <see cref="SafeText"/> nothing is lost.
/// </summary>
internal static class EscapedText
{
    public static string Of(string text)
    {
        if (!text.Any(NeedsEscape)) return text;
        var escaped = new StringBuilder();
        foreach (char c in text) _ = NeedsEscape(c) ? escaped.Append(Spell(c)) : escaped.Append(c);
        return escaped.ToString();
    }

    private static bool NeedsEscape(char c) => c is '\\' || char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned;

    private static string Spell(char c) => c switch
    {
        '\n' => @"\n",
        '\r' => @"\r",
        '\t' => @"\t",
        '\\' => @"\\",
        _ => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
    };
}
