using System.Numerics;
using Distill.Templates.Runtime;
using Distill.Templates.Values;

namespace Distill.Templates.Library;

/// <summary>Filters that turn one value into another: defaults, numbers, JSON.</summary>
internal static class ConversionFilters
{
    public static Dictionary<string, Filter> All { get; } = new()
    {
        ["default"] = Default,
        ["d"] = Default,
        ["string"] = (c, v, a) => c.Printer.Print(v),
        ["int"] = ToInteger,
        ["float"] = ToFloat,
        ["abs"] = (c, v, a) =>
            Numbers.Whole(v) is { } whole
                ? new Integer(BigInteger.Abs(whole))
                : v is Float real ? new Float(Math.Abs(real.Value)) : throw NoNumber(v),
        ["round"] = Round,
        ["tojson"] = ToJson,
        ["attr"] = Attribute,
    };

    private static Value Default(RenderContext context, Value value, CallArguments arguments)
    {
        var bound = arguments.Bind("default", "default_value", "boolean");
        bool missing = value is Undefined || ((bound[1]?.IsTrue ?? false) && !value.IsTrue);
        return missing ? bound[0] ?? Text.Empty : value;
    }

    private static Value Attribute(RenderContext context, Value value, CallArguments arguments)
    {
        if (value is Undefined undefined) throw undefined.Failure();
        string name = (arguments.Bind("attr", "name")[0] as Text ?? throw TemplateException.Type("attr needs a name")).Value;
        return Members.Find(context, value, name) ?? Undefined.Member(value, name);
    }

    private static Value ToInteger(RenderContext context, Value value, CallArguments arguments)
    {
        var bound = arguments.Bind("int", "default", "base");
        if (value is Undefined undefined) throw undefined.Failure();
        if (Numbers.Whole(value) is { } whole) return new Integer(whole);
        if (value is Float { Value: double.PositiveInfinity or double.NegativeInfinity })
            throw TemplateException.Type("cannot convert float infinity to integer");
        // A base that is none, such as a text, leaves it to the reading as a real number.
        int radix = bound[1] is null ? 10 : Numbers.Whole(bound[1]!) is { } given && given >= 0 && given <= 36 ? (int)given : 1;
        if (value is Text text && Numbers.ParseWhole(text.Value, radix) is { } parsed) return new Integer(parsed);
        double? real = value is Float number ? number.Value : value is Text other ? Numbers.ParseReal(other.Value) : null;
        return real is { } finite && double.IsFinite(finite) ? new Integer(new BigInteger(finite)) : bound[0] ?? new Integer(0);
    }

    private static Value ToFloat(RenderContext context, Value value, CallArguments arguments)
    {
        var otherwise = arguments.Bind("float", "default")[0] ?? new Float(0);
        if (value is Undefined undefined) throw undefined.Failure();
        if (Numbers.Is(value)) return new Float(Numbers.Real(value));
        return value is Text text && Numbers.ParseReal(text.Value) is { } real ? new Float(real) : otherwise;
    }

    private static Value Round(RenderContext context, Value value, CallArguments arguments)
    {
        var bound = arguments.Bind("round", "precision", "method");
        if (!Numbers.Is(value)) throw NoNumber(value);
        long digits = bound[0] is { } precision ? Numbers.Clipped(precision, "precision") : 0;
        if (bound[1] is Text { Value: not "common" } method) return RoundTowards(Numbers.Real(value), digits, method.Value);
        if (Numbers.Whole(value) is { } whole)
            return new Integer(digits >= 0 ? whole : NumberFormat.RoundWhole(whole, (int)Math.Min(-digits, 10_000)));
        return new Float(NumberFormat.Round(Numbers.Real(value), (int)Math.Clamp(digits, -10_000, 10_000)));
    }

    private static Float RoundTowards(double value, long digits, string method)
    {
        double scale = Math.Pow(10, digits);
        return method switch
        {
            "ceil" => new Float(Math.Ceiling(value * scale) / scale),
            "floor" => new Float(Math.Floor(value * scale) / scale),
            _ => throw TemplateException.Type("method must be common, ceil or floor"),
        };
    }

    private static Text ToJson(RenderContext context, Value value, CallArguments arguments)
    {
        var bound = arguments.Bind("tojson", "ensure_ascii", "indent", "separators", "sort_keys");
        string? indent = bound[1] switch
        {
            null or None => null,
            Text text => text.Value,
            var width => Blanks(context, Numbers.Clipped(width, "indent")),
        };
        var (item, key) = bound[2] is null or None ? (indent is null ? ", " : ",", ": ") : Separators(bound[2]!);
        return new JsonPrinter(context, indent, item, key, bound[0]?.IsTrue ?? false, bound[3]?.IsTrue ?? false).Print(value);
    }

    private static (string, string) Separators(Value value) => value is Sequence { Items: [Text item, Text key] }
        ? (item.Value, key.Value)
        : throw TemplateException.Type("separators must be two texts");

    private static string Blanks(RenderContext context, long width)
    {
        context.Budget.Charge(Math.Max(width, 0));
        return new string(' ', (int)Math.Max(width, 0));
    }

    private static TemplateException NoNumber(Value value) =>
        value is Undefined undefined ? undefined.Failure() : TemplateException.Type($"'{value.TypeName}' is no number");
}
