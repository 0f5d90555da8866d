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
        ["isnumeric"] = text => AllDigits(text, (t, at) => CharUnicodeInfo.GetNumericValue(t, at) < 0 ? -1 : 1),
        ["isalnum"] = text => All(text, rune => IsLetter(rune) || Rune.GetNumericValue(rune) >= 0),
        ["isupper"] = text => IsCase(text, Rune.IsUpper),
        ["islower"] = text => IsCase(text, Rune.IsLower),
    };

    public static Function? Find(Text text, string name) => name switch
    {
        "find" => new Function(name, arguments => Position(text, Part(arguments), fromRight: false, required: false)),
        "rfind" => new Function(name, arguments => Position(text, Part(arguments), fromRight: true, required: false)),
        "index" => new Function(name, arguments => Position(text, Part(arguments), fromRight: false, required: true)),
        "rindex" => new Function(name, arguments => Position(text, Part(arguments), fromRight: true, required: true)),
        "count" => new Function(name, arguments => Count(text, Part(arguments))),
        _ when s_kinds.TryGetValue(name, out var holds) => new Function(name, _ => Values.Boolean.Of(holds(text.Value))),
        _ => null,
    };

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

    private static string Part(CallArguments arguments)
    {
        if (arguments.Positional.Count > 1) throw TemplateException.Unsupported("bounds in find, index and count are not supported");
        return (arguments.Bind("this method", "text")[0] as Text ?? throw TemplateException.Type("a text is needed")).Value;
    }

    private static Integer Position(Text text, string part, bool fromRight, bool required)
    {
        int at = fromRight ? text.Value.LastIndexOf(part, StringComparison.Ordinal) : text.Value.IndexOf(part, StringComparison.Ordinal);
        if (at < 0 && required) throw TemplateException.Type("substring not found");
        return new Integer(at < 0 ? -1 : CodePoints.Count(text.Value[..at]));
    }

    private static Integer Count(Text text, string part)
    {
        if (part.Length == 0) return new Integer(CodePoints.Count(text.Value) + 1);
        int count = 0;
        for (int at = text.Value.IndexOf(part, StringComparison.Ordinal); at >= 0; at = text.Value.IndexOf(part, at + part.Length,
            StringComparison.Ordinal))
            count++;
        return new Integer(count);
    }

    private static bool IsLetter(Rune rune) => Rune.GetUnicodeCategory(rune) <= UnicodeCategory.OtherLetter;

    private static bool All(string text, Func<Rune, bool> holds) => text.Length > 0 && text.EnumerateRunes().All(holds);

    private static bool AllDigits(string text, Func<string, int, int> valueAt)
    {
        for (int at = 0; at < text.Length; at += at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? 2 : 1)
            if (valueAt(text, at) < 0) return false;
        return text.Length > 0;
    }
}
