using System.Text.RegularExpressions;
using System.Text;
using Distill.Templates.Runtime;
using Distill.Templates.Values;

namespace Distill.Templates.Library;

/// <summary>Filters that make texts of texts; other values are printed first.</summary>
internal static partial class TextFilters
{
    public static Dictionary<string, Filter> All { get; } = new()
    {
        ["upper"] = (c, v, a) => Changed(c, v, a, PythonCase.Upper),
        ["lower"] = (c, v, a) => Changed(c, v, a, PythonCase.Lower),
        ["capitalize"] = (c, v, a) => Changed(c, v, a, PythonCase.Capitalize),
        ["title"] = (c, v, a) => Changed(c, v, a, Title),
        ["trim"] = Trim,
        ["replace"] = Replace,
        ["indent"] = Indent,
        ["truncate"] = Truncate,
        ["center"] = Center,
        ["wordcount"] = (c, v, a) => new Integer(TextQueries.CountWords(Plain(c, v).Value)),
        ["format"] = (c, v, a) => PercentFormat.Apply(c, Plain(c, v), FormatValues(c, a)),
        ["escape"] = Escape,
        ["e"] = Escape,
        ["safe"] = (c, v, a) => c.Printer.Print(v).AsMarkup(),
    };

    /// <summary>The printed value; escaped text may not be changed further.</summary>
    public static Text Plain(RenderContext context, Value value) => context.Printer.Print(value) is { IsMarkup: false } text
        ? text
        : throw TemplateException.Unsupported("escaped text cannot be changed");

    private static Text Changed(RenderContext context, Value value, CallArguments arguments, Func<string, string> change)
    {
        arguments.Bind("this filter");
        var text = Plain(context, value);
        context.Budget.Charge(text.Value.Length);
        return text.Become(change(text.Value));
    }

    /// <summary>Capitals after blanks, hyphens and opening brackets: Jinja's rule, not Python's.</summary>
    private static string Title(string text)
    {
        var title = new StringBuilder();
        foreach (string word in WordStarts().Split(text).Where(w => w.Length > 0))
        {
            int first = word.Length > 1 && char.IsSurrogatePair(word[0], word[1]) ? 2 : 1;
            title.Append(PythonCase.Upper(word[..first])).Append(PythonCase.Lower(word[first..]));
        }
        return title.ToString();
    }

    private static Text Trim(RenderContext context, Value value, CallArguments arguments)
    {
        var characters = arguments.Bind("trim", "chars")[0];
        return TextOperations.Strip(Plain(context, value), characters is null or None ? null : Plain(context, characters).Value);
    }

    private static Text Replace(RenderContext context, Value value, CallArguments arguments)
    {
        var bound = arguments.Bind("replace", "old", "new", "count");
        if (bound[0] is null || bound[1] is null) throw TemplateException.Type("replace needs what to replace and by what");
        long most = bound[2] is null or None ? -1 : Numbers.Clipped(bound[2]!, "count");
        return TextOperations.Replace(context, Plain(context, value), Plain(context, bound[0]!), Plain(context, bound[1]!), most);
    }

    private static Text Indent(RenderContext context, Value value, CallArguments arguments)
    {
        var bound = arguments.Bind("indent", "width", "first", "blank");
        string blanks = bound[0] switch
        {
            null => "    ",
            Text given => given.Value,
            var width => Blanks(context, Numbers.Clipped(width, "width")),
        };
        bool first = bound[1]?.IsTrue ?? false, blank = bound[2]?.IsTrue ?? false;
        var parts = new List<Text>();
        var text = value is Text ? Plain(context, value) : throw TemplateException.Type($"indent needs a text, not '{value.TypeName}'");
        foreach (var line in TextOperations.Lines(Text.Concat([text, Text.Own("\n")]), keepEnds: false).Cast<Text>())
        {
            context.Budget.Charge(blanks.Length + 2);
            if (parts.Count > 0) parts.Add(Text.Own("\n"));
            if (parts.Count == 0 ? first : blank || line.IsTrue) parts.Add(Text.Own(blanks));
            parts.Add(line);
        }
        return context.Concat(parts);
    }

    private static string Blanks(RenderContext context, long width)
    {
        context.Budget.Charge(Math.Max(width, 0));
        return new string(' ', (int)Math.Max(width, 0));
    }

    private static Value Truncate(RenderContext context, Value value, CallArguments arguments)
    {
        var bound = arguments.Bind("truncate", "length", "killwords", "end", "leeway");
        if (value is Undefined) return value;
        var text = value is Text ? Plain(context, value) : throw TemplateException.Type($"truncate needs a text, not '{value.TypeName}'");
        int[] starts = CodePoints.Starts(text.Value);
        var end = bound[2] is null ? Text.Own("...") : Plain(context, bound[2]!);
        long length = bound[0] is { } given
            ? Numbers.Clipped(given, "length")
            : 255, leeway = bound[3] is null or None ? 5 : Numbers.Clipped(bound[3]!, "leeway");
        long kept = length - CodePoints.Count(end.Value);
        if (kept < 0) throw TemplateException.Type("the end of a truncated text is longer than the text may be");
        if (starts.Length - 1 <= length + leeway) return text;
        var cut = text.Slice(0, starts[Math.Min(kept, starts.Length - 1)]);
        if (!(bound[1]?.IsTrue ?? false) && cut.Value.LastIndexOf(' ') is >= 0 and var blank) cut = cut.Slice(0, blank);
        return context.Concat([cut, end]);
    }

    private static Text Center(RenderContext context, Value value, CallArguments arguments)
    {
        long width = arguments.Bind("center", "width")[0] is { } given ? Numbers.Clipped(given, "width") : 80;
        return TextOperations.Pad(context, Plain(context, value), width, Text.Own(" "), missing => missing / 2 + (missing & width & 1));
    }

    private static Value FormatValues(RenderContext context, CallArguments arguments)
    {
        if (arguments.Keyword.Count == 0) return Sequence.Tuple(arguments.Positional);
        if (arguments.Positional.Count > 0) throw TemplateException.Type("format takes positional or named values, not both");
        return context.Mapping(arguments.Keyword.Select(k => KeyValuePair.Create<Value, Value>(Text.Own(k.Key), k.Value)));
    }

    private static Text Escape(RenderContext context, Value value, CallArguments arguments)
    {
        var text = context.Printer.Print(value);
        if (text.IsMarkup) return text;
        context.Budget.Charge(text.Value.Length * 5L);
        return text.Map(t => t.Replace("&", "&amp;").Replace("<", "&lt;").Replace(">", "&gt;").Replace("'", "&#39;").Replace("\"", "&#34;"))
            .AsMarkup();
    }

    [GeneratedRegex(@"([-\s\x1C-\x1F({\[<]+)", RegexOptions.CultureInvariant)]
    private static partial Regex WordStarts();
}
