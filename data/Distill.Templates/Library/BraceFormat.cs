using System.Globalization;
using Distill.Templates.Runtime;
using Distill.Templates.Values;

namespace Distill.Templates.Library;

/// <summary>
/// <c>'{} {1.role} {name[0]!r:>8}'.format(…)</c>, read as Python's <c>string.Formatter</c> reads it. Attributes and items of fields go
/// through the sandbox, as all others do.
/// </summary>
internal sealed class BraceFormat
{
    // A field inside a specification, and no further: Python's own bound.
    private const int Deepest = 2;

    private readonly RenderContext _context;
    private readonly Subscripts _subscripts;
    private readonly IReadOnlyList<Value> _positional;
    private readonly Func<string, Value?> _named;
    private int _next;
    private bool? _counts;

    private BraceFormat(RenderContext context, IReadOnlyList<Value> positional, Func<string, Value?> named) =>
        (_context, _subscripts, _positional, _named) = (context, new Subscripts(context), positional, named);

    public static Text Apply(RenderContext context, Text format, CallArguments arguments) =>
        new BraceFormat(context, arguments.Positional, name => arguments.Keyword.FirstOrDefault(k => k.Key == name).Value)
            .Expand(format, Deepest);

    /// <summary><c>format_map</c>: the names are the keys of one dictionary.</summary>
    public static Text ApplyMap(RenderContext context, Text format, CallArguments arguments) =>
        arguments.BindPositional("format_map", "mapping")[0] is Mapping mapping
            ? new BraceFormat(context, [], name => mapping.TryGet(Text.Own(name), out var value) ? value : null).Expand(format, Deepest)
            : throw TemplateException.Type("format_map needs a dictionary");

    private Text Expand(Text format, int depth)
    {
        if (depth < 0) throw TemplateException.Type("fields of the format nest too deep");
        var parts = new List<Text>();
        string text = format.Value;
        int at = 0;
        while (at < text.Length)
        {
            _context.Budget.Step();
            int brace = text.IndexOfAny(['{', '}'], at) is >= 0 and var found ? found : text.Length;
            parts.Add(format.Slice(at, brace));
            at = brace + 2;
            if (brace == text.Length) break;
            if (brace + 1 < text.Length && text[brace + 1] == text[brace]) parts.Add(format.Slice(brace, brace + 1));
            else if (text[brace] == '}' || brace + 1 == text.Length) throw TemplateException.Type("a brace in the format has no partner");
            else parts.Add(Field(format, brace + 1, out at, depth));
        }
        return _context.Concat(parts);
    }

    /// <summary>One field, from behind its opening brace to behind its closing one.</summary>
    private Text Field(Text format, int start, out int end, int depth)
    {
        string text = format.Value;
        int at = EndOfName(text, start);
        string name = text[start..at];
        char conversion = '\0';
        if (text[at] == '!')
        {
            conversion = at + 1 < text.Length ? text[at + 1] : throw TemplateException.Type("a conversion is missing in the format");
            at += 2;
            if (at >= text.Length || text[at] is not (':' or '}')) throw TemplateException.Type("':' or '}' must follow a conversion");
        }
        int close = text[at] == '}' ? at : EndOfSpecification(text, at + 1);
        var specification = at == close ? Text.Empty : format.Slice(at + 1, close);
        end = close + 1;
        var value = Converted(Find(name), conversion);
        return FormatSpecification.Apply(_context, value, Expand(specification, depth - 1));
    }

    private static int EndOfName(string text, int at)
    {
        for (; at < text.Length; at++)
        {
            if (text[at] is '}' or ':' or '!') return at;
            if (text[at] == '{') throw TemplateException.Type("'{' in the name of a field");
            // What stands in brackets may hold anything.
            if (text[at] == '[' && (at = text.IndexOf(']', at)) < 0) break;
        }
        throw TemplateException.Type("a field of the format has no end");
    }

    private static int EndOfSpecification(string text, int at)
    {
        for (int open = 1; at < text.Length; at++)
        {
            if (text[at] == '{') open++;
            else if (text[at] == '}' && --open == 0) return at;
        }
        throw TemplateException.Type("a specification in the format has no end");
    }

    private Value Find(string field)
    {
        int at = field.IndexOfAny(['.', '[']) is >= 0 and var found ? found : field.Length;
        var value = First(field[..at]);
        while (at < field.Length)
        {
            bool isItem = field[at] == '[';
            if (!isItem && field[at] != '.') throw TemplateException.Type("only '.' or '[' may follow ']' in a field");
            int end = isItem
                ? field.IndexOf(']', at)
                : field.IndexOfAny(['.', '['], at + 1) is >= 0 and var next ? next : field.Length;
            if (end <= at + 1) throw TemplateException.Type("an attribute in a field is empty");
            string name = field[(at + 1)..end];
            value = !isItem ? _subscripts.Attribute(value, name)
                : _subscripts.Item(value, IsNumber(name, out int index) ? new Integer(index) : Text.Own(name));
            at = isItem ? end + 1 : end;
        }
        return value;
    }

    private Value First(string name)
    {
        bool counts = name.Length == 0, isNumber = IsNumber(name, out int position);
        if (!counts && !isNumber) return _named(name) ?? throw TemplateException.Type($"the format asks for argument '{name}'");
        if (_counts is { } before && before != counts) throw TemplateException.Type("numbered and counted fields cannot be mixed");
        _counts = counts;
        if (counts) position = _next++;
        return position < _positional.Count
            ? _positional[position]
            : throw TemplateException.Type($"the format asks for argument {position}");
    }

    private static bool IsNumber(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private Value Converted(Value value, char conversion) => conversion switch
    {
        '\0' => value,
        's' => _context.Printer.Print(value),
        'r' => _context.Printer.Represent(value),
        'a' => _context.Printer.RepresentInAscii(value),
        _ => throw TemplateException.Type($"unknown conversion '{conversion}' in the format"),
    };
}
