using System.Globalization;
using System.Text;
using Distill.Pipeline.Reporting.Page;

namespace Distill.Service.Pages.Traces;

/// <summary>Text of a model or of a data set: escaped, and what would hide itself (marks of direction, controls) is spelled out.</summary>
internal static class ForeignText
{
    private const int Longest = 400_000;

    public static Html Of(string text)
    {
        if (text.Length > Longest) text = text[..Longest] + "\n[the rest is in the file]";
        var parts = new List<Html>();
        int start = 0;
        for (int i = 0; i < text.Length;)
        {
            bool isPair = Rune.TryGetRuneAt(text, i, out var rune);
            int length = isPair ? rune.Utf16SequenceLength : 1;
            if (!isPair || IsHidden(rune))
            {
                parts.Add(Html.Of($"{text[start..i]}"));
                int code = isPair ? rune.Value : text[i];
                parts.Add(Html.Of($"<span class=\"hidden-char\">\\u{{{code.ToString("x", CultureInfo.InvariantCulture)}}}</span>"));
                start = i + length;
            }

            i += length;
        }

        parts.Add(Html.Of($"{text[start..]}"));
        return Html.Of($"{parts}");
    }

    private static bool IsHidden(Rune rune) => rune.Value is not ('\n' or '\t') && Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
