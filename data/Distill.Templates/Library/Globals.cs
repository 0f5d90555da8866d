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
        Define("joiner", Joiner);
        Define("raise_exception", arguments => throw new TemplateException(TemplateFault.Raised,
            context.Printer.Print(arguments.Bind("raise_exception", "message")[0] ?? Text.Empty).Value));
        Define("strftime_now", arguments => Text.Own(TimeFormat.Format(context.Clock.GetLocalNow(), Format(arguments))));
        foreach (string name in (string[])["cycler", "lipsum"])
            Define(name, _ => throw TemplateException.Unsupported($"'{name}' is not supported in chat templates"));

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
        foreach (var (key, value) in Entries(context, arguments))
            space.Members[(key as Text ?? throw TemplateException.Type("names in a namespace must be texts")).Value] = value;
        return space;
    }

    /// <summary>Gives nothing the first time it is called and the separator from then on.</summary>
    private static Function Joiner(CallArguments arguments)
    {
        var separator = arguments.Bind("joiner", "sep")[0] ?? Text.Own(", ");
        bool used = false;
        return new Function("joiner", _ =>
        {
            Value result = used ? separator : Text.Empty;
            used = true;
            return result;
        });
    }

    private static string Format(CallArguments arguments) =>
        (arguments.Bind("strftime_now", "format")[0] as Text ?? throw TemplateException.Type("strftime_now needs a format")).Value;
}
