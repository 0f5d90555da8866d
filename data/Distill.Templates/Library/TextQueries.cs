using System.Globalization;
using System.Text;
using Distill.Templates.Runtime;
using Distill.Templates.Values;

namespace Distill.Templates.Library;

/// <summary>Methods of texts that ask: where, how often, of what kind.</summary>
internal static class TextQueries
{
    private static readonly Dictionary<string, Func<string, bool>> s_kinds = new()
    {
        ["isspace"] = text => PythonSpace.IsBlank(text),
        ["isalpha"] = text => All(text, IsLetter),
        ["isdigit"] = text => AllDigits(text, CharUnicodeInfo.GetDigitValue),
        ["isdecimal"] = text => AllDigits(text, CharUnicodeInfo.GetDecimalDigitValue),
        ["isnumeric"] = text => All(text, IsNumeric),
        ["isalnum"] = text => All(text, rune => IsLetter(rune) || IsNumeric(rune)),
        ["isupper"] = text => IsCase(text, PythonCase.IsUpper),
        ["islower"] = text => IsCase(text, PythonCase.IsLower),
        ["istitle"] = IsTitle,
        ["isascii"] = text => text.All(char.IsAscii),
        ["isprintable"] = text => CodePoints.Of(Text.Own(text)).All(point => ValuePrinter.IsPrintable(point.Value)),
    };

    public static Function? Find(Text text, string name)
    {
        Func<Text, Value?[], Value>? query = name switch
        {
            "find" => (t, bound) => Position(t, bound, fromRight: false, required: false),
            "rfind" => (t, bound) => Position(t, bound, fromRight: true, required: false),
            "index" => (t, bound) => Position(t, bound, fromRight: false, required: true),
            "rindex" => (t, bound) => Position(t, bound, fromRight: true, required: true),
            "count" => Count,
            "startswith" => (t, bound) => HasAffix(t, bound, (window, part) => window.StartsWith(part)),
            "endswith" => (t, bound) => HasAffix(t, bound, (window, part) => window.EndsWith(part)),
            _ => null,
        };
        if (query is not null)
            return new Function(name, arguments => query(text, arguments.BindPositional(name, "text", "start", "end")));
        return s_kinds.TryGetValue(name, out var holds)
            ? new Function(name, arguments => Values.Boolean.Of(arguments.Bind(name) is [] && holds(text.Value)))
            : null;
    }

    public static bool IsCase(string text, Func<Rune, bool> holds)
    {
        bool any = false;
        foreach (var rune in text.EnumerateRunes().Where(PythonCase.IsCased))
        {
            if (!holds(rune)) return false;
            any = true;
        }
        return any;
    }

    private delegate bool AffixTest(ReadOnlySpan<char> window, ReadOnlySpan<char> part);

    private static Values.Boolean HasAffix(Text text, Value?[] bound, AffixTest matches)
    {
        var parts = bound[0] is Sequence { Kind: SequenceKind.Tuple } tuple ? tuple.Items : [bound[0] ?? Text.Empty];
        if (bound[0] is null) throw TemplateException.Type("a text or a tuple of texts is needed");
        var window = Window(text.Value, bound);
        foreach (var part in parts)
        {
            string affix = Part(part);
            if (window is { } range && matches(text.Value.AsSpan(range.Start, range.End - range.Start), affix)) return Values.Boolean.True;
        }
        return Values.Boolean.False;
    }

    private static Integer Position(Text text, Value?[] bound, bool fromRight, bool required)
    {
        string part = Part(bound[0]);
        int at = -1;
        if (Window(text.Value, bound) is { } range)
        {
            var window = text.Value.AsSpan(range.Start, range.End - range.Start);
            at = fromRight ? window.LastIndexOf(part, StringComparison.Ordinal) : window.IndexOf(part, StringComparison.Ordinal);
            if (at >= 0) at = CodePoints.Count(text.Value[..(range.Start + at)]);
        }
        return at < 0 && required ? throw TemplateException.Type("substring not found") : new Integer(at);
    }

    private static Integer Count(Text text, Value?[] bound)
    {
        string part = Part(bound[0]);
        if (Window(text.Value, bound) is not { } range) return new Integer(0);
        string window = text.Value[range.Start..range.End];
        if (part.Length == 0) return new Integer(CodePoints.Count(window) + 1);
        int count = 0;
        for (int at = 0; (at = window.IndexOf(part, at, StringComparison.Ordinal)) >= 0; at += part.Length) count++;
        return new Integer(count);
    }

    /// <summary>What lies between the bounds, which count code points, negative ones from the end; null where they cross.</summary>
    private static TextRange? Window(string text, Value?[] bound)
    {
        if (bound[1] is null or None && bound[2] is null or None) return new TextRange(0, text.Length);
        int[] starts = CodePoints.Starts(text);
        long count = starts.Length - 1, start = Bound(bound[1], 0), end = Math.Min(Bound(bound[2], count), count);
        return start > end ? null : new TextRange(starts[start], starts[end]);

        long Bound(Value? value, long otherwise)
        {
            if (value is null or None) return otherwise;
            long at = Numbers.Clipped(value, "a bound");
            return at < 0 ? Math.Max(at + count, 0) : at;
        }
    }

    private static string Part(Value? value) =>
        (value as Text ?? throw TemplateException.Type($"a text is needed, not '{value?.TypeName ?? "nothing"}'")).Value;

    /// <summary>Runs of what Python's <c>\w</c> matches.</summary>
    public static int CountWords(string text)
    {
        int count = 0;
        bool inWord = false;
        foreach (var rune in text.EnumerateRunes())
        {
            bool isWord = rune.Value == '_' || IsLetter(rune) || IsNumeric(rune);
            if (isWord && !inWord) count++;
            inWord = isWord;
        }
        return count;
    }

    // Of no value: -1. One Tibetan digit is worth minus a half.
    private static bool IsNumeric(Rune rune) => Rune.GetNumericValue(rune) is not -1;

    private static bool IsLetter(Rune rune) => Rune.GetUnicodeCategory(rune) <= UnicodeCategory.OtherLetter;

    /// <summary>Every run of cased letters begins with a capital and goes on without one; there is such a run.</summary>
    private static bool IsTitle(string text)
    {
        bool inWord = false, any = false;
        foreach (var rune in text.EnumerateRunes())
        {
            bool cased = PythonCase.IsCased(rune);
            if (cased && PythonCase.IsLower(rune) != inWord) return false;
            any |= cased;
            inWord = cased;
        }
        return any;
    }

    private static bool All(string text, Func<Rune, bool> holds) => text.Length > 0 && text.EnumerateRunes().All(holds);

    private static bool AllDigits(string text, Func<string, int, int> valueAt)
    {
        for (int at = 0; at < text.Length; at += at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? 2 : 1)
            if (valueAt(text, at) < 0) return false;
        return text.Length > 0;
    }
}
