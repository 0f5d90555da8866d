using Distill.Templates.Runtime;
using Distill.Templates.Values;

namespace Distill.Templates.Library;

/// <summary>Methods of texts.</summary>
internal static class TextMethods
{
    private static readonly Dictionary<string, Method> s_methods = new()
    {
        ["strip"] = (_, text, a) => Strip(text, a, left: true, right: true),
        ["lstrip"] = (_, text, a) => Strip(text, a, left: true, right: false),
        ["rstrip"] = (_, text, a) => Strip(text, a, left: false, right: true),
        ["split"] = (c, text, a) => Split(c, text, a, fromRight: false),
        ["rsplit"] = (c, text, a) => Split(c, text, a, fromRight: true),
        ["splitlines"] = (c, text, a) => c.List(TextOperations.Lines(text, a.Bind("splitlines", "keepends")[0]?.IsTrue ?? false)),
        ["partition"] = (_, text, a) => Partition(text, Required(a, "partition"), fromRight: false),
        ["rpartition"] = (_, text, a) => Partition(text, Required(a, "rpartition"), fromRight: true),
        ["removeprefix"] = (_, text, a) =>
            Required(a, "removeprefix").Value is var part && text.Value.StartsWith(part, StringComparison.Ordinal)
                ? text.Slice(part.Length, text.Value.Length)
                : text,
        ["removesuffix"] = (_, text, a) =>
            Required(a, "removesuffix").Value is var part && text.Value.EndsWith(part, StringComparison.Ordinal)
                ? text.Slice(0, text.Value.Length - part.Length)
                : text,
        ["replace"] = Replace,
        ["join"] = Join,
        ["format"] = BraceFormat.Apply,
        ["format_map"] = BraceFormat.ApplyMap,
        ["upper"] = (c, text, a) => Cased(c, text, a, PythonCase.Upper),
        ["lower"] = (c, text, a) => Cased(c, text, a, PythonCase.Lower),
        ["title"] = (c, text, a) => Cased(c, text, a, PythonCase.Title),
        ["capitalize"] = (c, text, a) => Cased(c, text, a, PythonCase.Capitalize),
        ["casefold"] = (c, text, a) => Cased(c, text, a, PythonCase.Fold),
        ["swapcase"] = (c, text, a) => Cased(c, text, a, PythonCase.Swap),
        ["zfill"] = ZeroFill,
        ["ljust"] = (c, text, a) => Pad(c, text, a, _ => 0),
        ["rjust"] = (c, text, a) => Pad(c, text, a, missing => missing),
        ["center"] = Center,
        ["expandtabs"] = (c, text, a) =>
            TextOperations.ExpandTabs(c, text, a.Bind("expandtabs", "tabsize")[0] is { } size ? Numbers.Clipped(size, "tabsize") : 8),
    };

    // Python knows the arguments of all others by position only.
    private static readonly HashSet<string> s_named = ["split", "rsplit", "splitlines", "expandtabs", "format"];

    private delegate Value Method(RenderContext context, Text text, CallArguments arguments);

    public static Function? Find(RenderContext context, Text text, string name)
    {
        if (!s_methods.TryGetValue(name, out var method)) return TextQueries.Find(text, name);
        if (text.IsMarkup) throw TemplateException.Unsupported("escaped text cannot be changed");
        return new Function(name, arguments =>
        {
            if (!s_named.Contains(name)) arguments.OnlyPositional(name);
            return method(context, text, arguments);
        });
    }

    private static Text Required(CallArguments arguments, string method) =>
        arguments.Bind(method, "text")[0] as Text ?? throw TemplateException.Type($"{method} needs a text");

    private static Text? Optional(Value? value) => value switch
    {
        null or None => null,
        Text text => text,
        _ => throw TemplateException.Type($"expected a text, not '{value.TypeName}'"),
    };

    private static Text Strip(Text text, CallArguments arguments, bool left, bool right) =>
        TextOperations.Strip(text, Optional(arguments.Bind("strip", "chars")[0])?.Value, left, right);

    private static Sequence Split(RenderContext context, Text text, CallArguments arguments, bool fromRight)
    {
        var bound = arguments.Bind("split", "sep", "maxsplit");
        long most = bound[1] is { } limit ? Numbers.Clipped(limit, "maxsplit") : -1;
        if (Optional(bound[0]) is { } separator)
            return context.List(fromRight
                ? TextOperations.SplitFromRight(context, text, separator.Value, most)
                : TextOperations.Split(context, text, separator.Value, most));
        return context.List(fromRight ? TextOperations.WordsFromRight(context, text, most) : TextOperations.Words(context, text, most));
    }

    private static Sequence Partition(Text text, Text separator, bool fromRight)
    {
        if (separator.Value.Length == 0) throw TemplateException.Type("empty separator");
        int at = fromRight
            ? text.Value.LastIndexOf(separator.Value, StringComparison.Ordinal)
            : text.Value.IndexOf(separator.Value, StringComparison.Ordinal);
        if (at < 0) return fromRight ? Sequence.Tuple(Text.Empty, Text.Empty, text) : Sequence.Tuple(text, Text.Empty, Text.Empty);
        int end = at + separator.Value.Length;
        return Sequence.Tuple(text.Slice(0, at), text.Slice(at, end), text.Slice(end, text.Value.Length));
    }

    private static Text Replace(RenderContext context, Text text, CallArguments arguments)
    {
        var bound = arguments.Bind("replace", "old", "new", "count");
        if (bound[0] is not Text old || bound[1] is not Text by) throw TemplateException.Type("replace needs two texts");
        return TextOperations.Replace(context, text, old, by, bound[2] is { } most ? Numbers.Clipped(most, "count") : -1);
    }

    private static Text Join(RenderContext context, Text separator, CallArguments arguments)
    {
        var items = arguments.Bind("join", "iterable")[0] ?? throw TemplateException.Type("join needs what to join");
        return TextOperations.Join(context, separator,
            context.Iterate(items).Select(i => i as Text ?? throw TemplateException.Type($"join expects texts, found '{i.TypeName}'")));
    }

    private static Text Cased(RenderContext context, Text text, CallArguments arguments, Func<string, string> change)
    {
        arguments.Bind("this method");
        context.Budget.Charge(text.Value.Length);
        return text.Become(change(text.Value));
    }

    private static Text ZeroFill(RenderContext context, Text text, CallArguments arguments)
    {
        long width = Numbers.Clipped(arguments.Bind("zfill", "width")[0] ?? throw TemplateException.Type("zfill needs a width"), "width");
        int sign = text.Value is ['+' or '-', ..] ? 1 : 0;
        var digits = TextOperations.Pad(context, text.Slice(sign, text.Value.Length), width - sign, Text.Own("0"), missing => missing);
        return Text.Concat([text.Slice(0, sign), digits]);
    }

    private static Text Center(RenderContext context, Text text, CallArguments arguments)
    {
        // Python gives an odd blank to the left when the width is odd.
        long width = Width(arguments);
        return Pad(context, text, arguments, missing => missing / 2 + (missing & width & 1));
    }

    private static Text Pad(RenderContext context, Text text, CallArguments arguments, Func<long, long> left) =>
        TextOperations.Pad(
            context, text, Width(arguments), arguments.Bind("this method", "width", "fillchar")[1] as Text ?? Text.Own(" "), left);

    private static long Width(CallArguments arguments) =>
        Numbers.Clipped(arguments.Bind("this method", "width", "fillchar")[0] ?? throw TemplateException.Type("a width is needed"),
            "width");
}
