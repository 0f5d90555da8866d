using System.Globalization;
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
        return Members.Find(context, value, name) ?? new Undefined($"attribute '{name}'");
    }

    private static Value ToInteger(RenderContext context, Value value, CallArguments arguments)
    {
        var bound = arguments.Bind("int", "default", "base");
        if (bound[1] is not null) throw TemplateException.Unsupported("a base for int is not supported");
        if (value is Undefined undefined) throw undefined.Failure();
        if (Numbers.Whole(value) is { } whole) return new Integer(whole);
        double? real = value is Float number ? number.Value : value is Text text ? Parsed(text.Value) : null;
        if (value is Text digits && WholeNumber(digits.Value) is { } parsed) return new Integer(parsed);
        return real is { } finite && double.IsFinite(finite) ? new Integer(new BigInteger(finite)) : bound[0] ?? new Integer(0);
    }

    private static Value ToFloat(RenderContext context, Value value, CallArguments arguments)
    {
        var otherwise = arguments.Bind("float", "default")[0] ?? new Float(0);
        if (value is Undefined undefined) throw undefined.Failure();
        if (Numbers.Is(value)) return new Float(Numbers.Real(value));
        return value is Text text && Parsed(text.Value) is { } real ? new Float(real) : otherwise;
    }

    private static BigInteger? WholeNumber(string text)
    {
        string digits = text.Trim().Replace("_", "");
        if (digits.Length > 4300) throw TemplateException.Limit("a number has more than 4300 digits");
        return BigInteger.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null;
    }

    private static double? Parsed(string text) =>
        double.TryParse(text.Trim().Replace("_", ""), NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : null;

    private static Value Round(RenderContext context, Value value, CallArguments arguments)
    {
        var bound = arguments.Bind("round", "precision", "method");
        if (!Numbers.Is(value)) throw NoNumber(value);
        long digits = bound[0] is { } precision ? Numbers.Clipped(precision, "precision") : 0;
        if (bound[1] is Text { Value: not "common" } method) return RoundTowards(Numbers.Real(value), digits, method.Value);
        if (Numbers.Whole(value) is { } whole)
            return digits >= 0
                ? new Integer(whole)
                : throw TemplateException.Unsupported("integers cannot be rounded to the left of the point");
        return new Float(Rounding.Round(Numbers.Real(value), (int)Math.Clamp(digits, -10_000, 10_000)));
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
