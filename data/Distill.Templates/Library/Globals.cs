using System.Globalization;
using System.Text;
using Distill.Templates.Runtime;
using Distill.Templates.Values;

namespace Distill.Templates.Library;

/// <summary>The functions every template can call.</summary>
internal static class Globals
{
    public static void Define(RenderContext context, Scope scope)
    {
        Define("range", arguments => Range(context, arguments));
        Define("dict", arguments => context.Mapping(Entries(context, arguments)));
        Define("namespace", arguments => Namespace(context, arguments));
        Define("joiner", arguments => new Joiner(arguments.Bind("joiner", "sep")[0] ?? Text.Own(", ")));
        Define("cycler", arguments => Cycler(context, arguments));
        Define("raise_exception", arguments => throw new TemplateException(TemplateFault.Raised,
            context.Printer.Print(arguments.Bind("raise_exception", "message")[0] ?? Text.Empty).Value));
        Define("strftime_now", arguments => Text.Own(TimeFormat.Format(context.Clock.GetLocalNow(), Format(arguments))));
        Define("lipsum", _ => throw TemplateException.Unsupported("'lipsum' is not supported in chat templates"));

        void Define(string name, Func<CallArguments, Value> body) => scope.Set(name, new Function(name, body));
    }

    private static Values.Range Range(RenderContext context, CallArguments arguments)
    {
        long[] bounds = [.. arguments.OnlyPositional("range").Select(a => Numbers.Clipped(a, "a bound of range"))];
        var range = bounds switch
        {
            [var stop] => Checked(0, stop, 1),
            [var start, var stop] => Checked(start, stop, 1),
            [var start, var stop, var step] when step != 0 => Checked(start, stop, step),
            _ => throw TemplateException.Type("range takes one to three whole numbers, the third not zero"),
        };
        return range;

        Values.Range Checked(long start, long stop, long step)
        {
            double count = ((double)stop - start) / step;
            if (count > context.Budget.Limits.Range)
                throw TemplateException.Limit($"a range may have at most {context.Budget.Limits.Range} items");
            return new Values.Range(start, stop, step);
        }
    }

    private static IEnumerable<KeyValuePair<Value, Value>> Entries(RenderContext context, CallArguments arguments)
    {
        if (arguments.Positional.Count > 1) throw TemplateException.Type("at most one positional argument is expected");
        var given = (arguments.Positional.Count == 1 ? arguments.Positional[0] : null) switch
        {
            null => [],
            Mapping mapping => mapping.Entries,
            var pairs =>
                context.Iterate(pairs).Select(pair => context.ToList(pair) is [var key, var value]
                    ? KeyValuePair.Create(key, value)
                    : throw TemplateException.Type("a dictionary is made of pairs")),
        };
        return given.Concat(arguments.Keyword.Select(k => KeyValuePair.Create<Value, Value>(Text.Own(k.Key), k.Value)));
    }

    private static Namespace Namespace(RenderContext context, CallArguments arguments)
    {
        var space = new Namespace();
        // A key that is no text has no name: nothing can ask for it.
        foreach (var (key, value) in Entries(context, arguments))
            if (key is Text name) space.Members[name.Value] = value;
        return space;
    }

    private static Cycler Cycler(RenderContext context, CallArguments arguments)
    {
        var items = arguments.OnlyPositional("cycler");
        if (items.Count == 0) throw TemplateException.Type("at least one item has to be provided");
        context.Budget.Charge(items.Count);
        return new Cycler([.. items]);
    }

    private static string Format(CallArguments arguments) =>
        (arguments.Bind("strftime_now", "format")[0] as Text ?? throw TemplateException.Type("strftime_now needs a format")).Value;
}

/// <summary>The conversions of C's <c>strftime</c>, in the C locale.</summary>
internal static class TimeFormat
{
    private const int Longest = 10_000;

    public static string Format(DateTimeOffset time, string format)
    {
        if (format.Length > Longest) throw TemplateException.Limit($"a time format is longer than {Longest} characters");
        var text = new StringBuilder();
        for (int at = 0; at < format.Length; at++)
        {
            if (format[at] != '%' || at + 1 == format.Length)
            {
                text.Append(format[at]);
                continue;
            }
            bool unpadded = format[++at] == '-' && at + 1 < format.Length;
            string part = Part(time, unpadded ? format[++at] : format[at]);
            text.Append(unpadded && part.Length > 1 ? part.TrimStart('0', ' ').PadLeft(1, '0') : part);
        }
        return text.ToString();
    }

    private static string Part(DateTimeOffset time, char kind) => kind switch
    {
        'Y' => time.Year.ToString(CultureInfo.InvariantCulture),
        'y' => Two(time.Year % 100),
        'C' => Two(time.Year / 100),
        'm' => Two(time.Month),
        'd' => Two(time.Day),
        'e' => time.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
        'j' => time.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
        'H' => Two(time.Hour),
        'I' => Two((time.Hour + 11) % 12 + 1),
        'M' => Two(time.Minute),
        'S' => Two(time.Second),
        'f' => (time.Ticks % TimeSpan.TicksPerSecond / 10).ToString("000000", CultureInfo.InvariantCulture),
        'p' => time.Hour < 12 ? "AM" : "PM",
        'B' => time.ToString("MMMM", CultureInfo.InvariantCulture),
        'b' or 'h' => time.ToString("MMM", CultureInfo.InvariantCulture),
        'A' => time.ToString("dddd", CultureInfo.InvariantCulture),
        'a' => time.ToString("ddd", CultureInfo.InvariantCulture),
        'w' => ((int)time.DayOfWeek).ToString(CultureInfo.InvariantCulture),
        'u' => (((int)time.DayOfWeek + 6) % 7 + 1).ToString(CultureInfo.InvariantCulture),
        'F' => Format(time, "%Y-%m-%d"),
        'T' or 'X' => Format(time, "%H:%M:%S"),
        'R' => Format(time, "%H:%M"),
        'D' or 'x' => Format(time, "%m/%d/%y"),
        'c' => Format(time, "%a %b %e %H:%M:%S %Y"),
        'n' => "\n",
        't' => "\t",
        '%' => "%",
        _ => throw TemplateException.Unsupported($"'%{kind}' in a time format is not supported"),
    };

    private static string Two(int value) => value.ToString("00", CultureInfo.InvariantCulture);
}
