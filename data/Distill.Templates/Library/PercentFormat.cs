using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;
using Distill.Templates.Runtime;
using Distill.Templates.Values;

namespace Distill.Templates.Library;

/// <summary><c>'%s and %05.2f' % values</c>: conversions s, r, d, i, u, f, x, X, o and %.</summary>
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
            var field = Field().Match(format.Value, percent);
            if (!field.Success) throw TemplateException.Unsupported("a conversion in the format is incomplete or not supported");
            parts.Add(format.Slice(at, percent));
            at = percent + field.Length;
            usesNames |= field.Groups["name"].Success;
            parts.Add(field.Groups["kind"].Value == "%" ? format.Slice(at - 1, at) : Convert(context, field, Take(field, values, waiting)));
        }
        bool mayRemain = usesNames || values is Mapping or Sequence { Kind: SequenceKind.List } or Values.Range or Undefined;
        if (waiting.Count > 0 && !mayRemain) throw TemplateException.Type("not all arguments converted during string formatting");
        parts.Add(format.Slice(at, format.Value.Length));
        return context.Concat(parts);
    }

    private static Value Take(Match field, Value values, Queue<Value> waiting)
    {
        if (!field.Groups["name"].Success)
            return waiting.TryDequeue(out var next) ? next : throw TemplateException.Type("not enough arguments for format string");
        string name = field.Groups["name"].Value;
        return values is Mapping mapping && mapping.TryGet(Text.Own(name), out var value)
            ? value
            : throw TemplateException.Type($"the format asks for '{name}'");
    }

    private static Text Convert(RenderContext context, Match field, Value value)
    {
        int width = Size(field.Groups["width"].Value, 0), precision = Size(field.Groups["precision"].Value, -1);
        string flags = field.Groups["flags"].Value;
        var text = field.Groups["kind"].Value switch
        {
            "s" => Cut(context.Printer.Print(value), precision),
            "r" => Cut(context.Printer.Represent(value), precision),
            var kind => Text.Own(Number(value, kind, precision, flags)),
        };
        bool zeros = flags.Contains('0') && !flags.Contains('-') && field.Groups["kind"].Value is not ("s" or "r");
        if (!zeros) return TextOperations.Pad(context, text, width, " ", missing => flags.Contains('-') ? 0 : missing);
        int sign = text.Value is ['+' or '-' or ' ', ..] ? 1 : 0;
        var digits = TextOperations.Pad(context, text.Slice(sign, text.Value.Length), width - sign, "0", missing => missing);
        return Text.Concat([text.Slice(0, sign), digits]);
    }

    private static string Number(Value value, string kind, int precision, string flags)
    {
        if (!Numbers.Is(value)) throw TemplateException.Type($"%{kind} needs a number, not '{value.TypeName}'");
        string text = kind switch
        {
            "f" or "F" => Rounding.Fixed(Numbers.Real(value), precision < 0 ? 6 : precision),
            "d" or "i" or "u" => Padded(Numbers.Print(Numbers.Whole(value) ?? Truncated(value)), precision),
            "x" or "X" or "o" =>
                Padded(InBase(Numbers.Whole(value) ?? throw TemplateException.Type($"%{kind} needs an integer"), kind), precision),
            _ => throw TemplateException.Unsupported($"conversion %{kind} is not supported"),
        };
        if (flags.Contains('#')) throw TemplateException.Unsupported("flag '#' in a format is not supported");
        return text[0] == '-' ? text : flags.Contains('+') ? "+" + text : flags.Contains(' ') ? " " + text : text;
    }

    private static BigInteger Truncated(Value value) =>
        double.IsFinite(Numbers.Real(value))
            ? new BigInteger(Numbers.Real(value))
            : throw TemplateException.Type("%d needs a finite number");

    private static string InBase(BigInteger value, string kind)
    {
        uint radix = kind == "o" ? 8u : 16u;
        var rest = BigInteger.Abs(value);
        string digits = "";
        do
        {
            digits = "0123456789abcdef"[(int)(rest % radix)] + digits;
            rest /= radix;
        }
        while (!rest.IsZero);
        return (value.Sign < 0 ? "-" : "") + (kind == "X" ? digits.ToUpperInvariant() : digits);
    }

    private static string Padded(string digits, int precision) =>
        digits[0] == '-' ? "-" + digits[1..].PadLeft(Math.Max(precision, 0), '0') : digits.PadLeft(Math.Max(precision, 0), '0');

    private static Text Cut(Text text, int precision)
    {
        int[] starts = CodePoints.Starts(text.Value);
        return precision < 0 || precision >= starts.Length - 1 ? text : text.Slice(0, starts[precision]);
    }

    private static int Size(string digits, int otherwise)
    {
        if (digits.Length == 0) return otherwise;
        string number = digits.TrimStart('.').PadLeft(1, '0');
        return int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int size) && size <= Widest
            ? size
            : throw TemplateException.Limit($"a width in a format is larger than {Widest}");
    }

    [GeneratedRegex(@"\G%(\((?<name>[^)]*)\))?(?<flags>[-+ 0#]*)(?<width>[0-9]*)(?<precision>\.[0-9]*)?(?<kind>[srdiufFxXo%])",
        RegexOptions.CultureInvariant)]
    private static partial Regex Field();
}
