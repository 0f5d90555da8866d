using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;
using Distill.Templates.Runtime;
using Distill.Templates.Values;

namespace Distill.Templates.Library;

/// <summary><c>'%s and %05.2f' % values</c>: Python's conversions of texts.</summary>
internal static partial class PercentFormat
{
    private const int Widest = 10_000;

    public static Text Apply(RenderContext context, Text format, Value values)
    {
        var parts = new List<Text>();
        var waiting = new Queue<Value>(values is Sequence { Kind: SequenceKind.Tuple } tuple ? tuple.Items : [values]);
        bool usesNames = false;
        int at = 0;
        for (int percent = format.Value.IndexOf('%'); percent >= 0; percent = format.Value.IndexOf('%', at))
        {
            context.Budget.Step();
            var field = Field().Match(format.Value, percent);
            if (!field.Success) throw TemplateException.Unsupported("a conversion in the format is incomplete or not supported");
            parts.Add(format.Slice(at, percent));
            at = percent + field.Length;
            usesNames |= field.Groups["name"].Success;
            parts.Add(field.Groups["kind"].Value == "%" ? format.Slice(at - 1, at) : Convert(context, field, values, waiting));
        }
        bool mayRemain = usesNames || values is Mapping or Sequence { Kind: SequenceKind.List } or Values.Range or Undefined;
        if (waiting.Count > 0 && !mayRemain) throw TemplateException.Type("not all arguments converted during string formatting");
        parts.Add(format.Slice(at, format.Value.Length));
        return context.Concat(parts);
    }

    private static Value Take(Match field, Value values, Queue<Value> waiting)
    {
        if (!field.Groups["name"].Success) return Next(waiting);
        string name = field.Groups["name"].Value;
        return values is Mapping mapping && mapping.TryGet(Text.Own(name), out var value)
            ? value
            : throw TemplateException.Type($"the format asks for '{name}'");
    }

    private static Value Next(Queue<Value> waiting) =>
        waiting.TryDequeue(out var next) ? next : throw TemplateException.Type("not enough arguments for format string");

    private static Text Convert(RenderContext context, Match field, Value values, Queue<Value> waiting)
    {
        int width = Size(field.Groups["width"].Value, 0, waiting);
        int precision = field.Groups["precision"].Success ? Math.Max(Size(field.Groups["precision"].Value, 0, waiting), 0) : -1;
        string flags = field.Groups["flags"].Value;
        bool left = flags.Contains('-') || width < 0;
        width = Math.Abs(width);
        var value = Take(field, values, waiting);
        if (Plain(context, value, field.Groups["kind"].Value, precision) is { } text)
            return TextOperations.Pad(context, text, width, Text.Own(" "), missing => left ? 0 : missing);
        var (sign, prefix, digits) = Number(value, field.Groups["kind"].Value[0], precision, flags);
        bool zeros = flags.Contains('0') && !left;
        if (!zeros)
            return TextOperations.Pad(context, Text.Own(sign + prefix + digits), width, Text.Own(" "), missing => left ? 0 : missing);
        var padded = TextOperations.Pad(context, Text.Own(digits), width - sign.Length - prefix.Length, Text.Own("0"), missing => missing);
        return Text.Concat([Text.Own(sign + prefix), padded]);
    }

    /// <summary>What is no number; null for conversions of numbers.</summary>
    private static Text? Plain(RenderContext context, Value value, string kind, int precision) => kind switch
    {
        "s" => Cut(context.Printer.Print(value), precision),
        "r" => Cut(context.Printer.Represent(value), precision),
        "a" => Cut(context.Printer.RepresentInAscii(value), precision),
        "c" => value is Text text
            ? CodePoints.Count(text.Value) == 1 ? text : throw TemplateException.Type("%c needs one character")
            : CodePoints.Character(Numbers.Whole(value) ?? throw TemplateException.Type("%c needs an integer or one character")),
        _ => null,
    };

    private static (string Sign, string Prefix, string Digits) Number(Value value, char kind, int precision, string flags)
    {
        if (!Numbers.Is(value)) throw TemplateException.Type($"%{kind} needs a number, not '{value.TypeName}'");
        bool alternate = flags.Contains('#');
        bool isReal = kind is 'e' or 'E' or 'f' or 'F' or 'g' or 'G';
        var whole = isReal ? BigInteger.Zero : kind is 'x' or 'X' or 'o'
            ? Numbers.Whole(value) ?? throw TemplateException.Type($"%{kind} needs an integer")
            : Numbers.Whole(value) ?? Truncated(value);
        bool negative = isReal ? double.IsNegative(Numbers.Real(value)) && !double.IsNaN(Numbers.Real(value)) : whole.Sign < 0;
        string digits = isReal
            ? NumberFormat.Real(Numbers.Real(value), kind, precision < 0 ? null : precision, alternate)
            : NumberFormat.Whole(whole, kind).PadLeft(Math.Max(precision, 0), '0');
        string prefix = alternate && kind is 'x' or 'X' or 'o' ? $"0{kind}" : "";
        return (negative ? "-" : flags.Contains('+') ? "+" : flags.Contains(' ') ? " " : "", prefix, digits);
    }

    private static BigInteger Truncated(Value value) =>
        double.IsFinite(Numbers.Real(value))
            ? new BigInteger(Numbers.Real(value))
            : throw TemplateException.Type("%d needs a finite number");

    private static Text Cut(Text text, int precision)
    {
        int[] starts = CodePoints.Starts(text.Value);
        return precision < 0 || precision >= starts.Length - 1 ? text : text.Slice(0, starts[precision]);
    }

    /// <summary>A width or precision; <c>*</c> takes it from the values.</summary>
    private static int Size(string digits, int otherwise, Queue<Value> waiting)
    {
        if (digits.Length == 0) return otherwise;
        long size = digits != "*"
            ? long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long given) ? given : long.MaxValue
            : Next(waiting) is var next && Numbers.Whole(next) is not null
                ? Numbers.Clipped(next, "a width")
                : throw TemplateException.Type("* wants an integer");
        return Math.Abs(size) <= Widest ? (int)size : throw TemplateException.Limit($"a width in a format is larger than {Widest}");
    }

    [GeneratedRegex(@"\G%(\((?<name>[^)]*)\))?(?<flags>[-+ 0#]*)(?<width>\*|[0-9]*)(\.(?<precision>\*|[0-9]*))?"
        + "[hlL]?(?<kind>[srdiufFxXoeEgGca%])",
        RegexOptions.CultureInvariant)]
    private static partial Regex Field();
}
