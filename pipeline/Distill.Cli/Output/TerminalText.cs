using System.Globalization;
using System.Text;

namespace Distill.Cli.Output;

/// <summary>
/// Text that a person, a file, a model or an endpoint wrote, made harmless for a terminal, which would obey its control characters.
/// </summary>
internal static class TerminalText
{
    /// <summary>Control characters become U+FFFD; line ends and tabs stay.</summary>
    public static string Safe(string text) => text.Any(IsControl) ? string.Concat(text.Select(c => IsControl(c) ? '\uFFFD' : c)) : text;

    /// <summary>The same in one line: line ends and tabs become blanks.</summary>
    public static string OneLine(string text) => Safe(text).ReplaceLineEndings(" ").Replace('\t', ' ');

    /// <summary>
    /// One line that shows every character: line ends, control characters, and those that leave no mark or turn the direction of
    /// writing are spelled as in JSON. Unlike with <see cref="Safe"/> nothing is lost.
    /// </summary>
    public static string Escaped(string text)
    {
        if (!text.Any(NeedsEscape)) return text;
        var escaped = new StringBuilder();
        foreach (char c in text) _ = NeedsEscape(c) ? escaped.Append(Spell(c)) : escaped.Append(c);
        return escaped.ToString();
    }

    /// <summary>
    /// Columns that a line takes on a terminal: two for East Asian wide characters and pictures, none for marks set over others.
    /// </summary>
    public static int Width(string line) => line.EnumerateRunes().Sum(Width);

    /// <summary>As much of a line as fits.</summary>
    public static string Cut(string line, int width)
    {
        int taken = 0, columns = 0;
        foreach (var rune in line.EnumerateRunes())
        {
            columns += Width(rune);
            if (columns > width) return line[..taken];
            taken += rune.Utf16SequenceLength;
        }

        return line;
    }

    private static int Width(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format => 0,
        _ => IsWide(rune.Value) ? 2 : 1,
    };

    private static bool IsWide(int value) => value is >= 0x1100 and <= 0x115F or >= 0x2E80 and <= 0xA4CF or >= 0xAC00 and <= 0xD7A3
        or >= 0xF900 and <= 0xFAFF or >= 0xFE30 and <= 0xFE6F or >= 0xFF00 and <= 0xFF60 or >= 0xFFE0 and <= 0xFFE6
        or >= 0x1F300 and <= 0x1F64F or >= 0x1F900 and <= 0x1F9FF or >= 0x20000 and <= 0x3FFFD;

    private static bool IsControl(char c) => char.IsControl(c) && c is not ('\n' or '\t');

    private static bool NeedsEscape(char c) => c is '\\' || char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse
        or UnicodeCategory.OtherNotAssigned;

    private static string Spell(char c) => c switch
    {
        '\n' => @"\n",
        '\r' => @"\r",
        '\t' => @"\t",
        '\\' => @"\\",
        _ => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
    };
}

/// <summary>Words of a command line as a shell takes them literally, for commands that are printed to be copied.</summary>
internal static class ShellWord
{
    public static string Join(IEnumerable<string> words) => string.Join(' ', words.Select(Quoted));

    public static string Quoted(string word)
    {
        if (word.Length > 0 && word.All(IsPlain)) return word;
        // A terminal would not show control characters as they are; $'...' spells them.
        return word.Any(char.IsControl)
            ? $"$'{string.Concat(word.Select(Spelled))}'"
            : $"'{word.Replace("'", @"'\''", StringComparison.Ordinal)}'";
    }

    private static bool IsPlain(char c) =>
        char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/' or '=' or ':' or ',' or '+' or '@' or '%';

    private static string Spelled(char c) => c switch
    {
        '\'' => @"\'",
        '\\' => @"\\",
        _ when char.IsControl(c) => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
        _ => c.ToString(),
    };
}
