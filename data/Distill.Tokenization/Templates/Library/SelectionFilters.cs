using Distill.Tokenization.Templates.Runtime;
using Distill.Tokenization.Templates.Values;

namespace Distill.Tokenization.Templates.Library;

/// <summary>
/// Filters that change or choose the items of a sequence; they give generators, and of anything false an empty one, as in Jinja.
/// </summary>
internal static class SelectionFilters
{
    public static Dictionary<string, Filter> All { get; } = new()
    {
        ["map"] = Map,
        ["select"] = (c, v, a) => Choose(c, v, a, byAttribute: false, wanted: true),
        ["reject"] = (c, v, a) => Choose(c, v, a, byAttribute: false, wanted: false),
        ["selectattr"] = (c, v, a) => Choose(c, v, a, byAttribute: true, wanted: true),
        ["rejectattr"] = (c, v, a) => Choose(c, v, a, byAttribute: true, wanted: false),
    };

    private static Generator Map(RenderContext context, Value value, CallArguments arguments)
    {
        if (!value.IsTrue) return new Generator([]);
        var change = arguments.Positional.Count == 0 ? ByAttribute(context, arguments) : ByFilter(context, arguments);
        return new Generator(context.Iterate(value).Select(change));
    }

    private static Func<Value, Value> ByAttribute(RenderContext context, CallArguments arguments)
    {
        var bound = arguments.Bind("map", "attribute", "default");
        return AttributePath.Reader(context, bound[0] ?? throw TemplateException.Type("map needs a filter or an attribute"), bound[1]);
    }

    private static Func<Value, Value> ByFilter(RenderContext context, CallArguments arguments)
    {
        var filter = FilterLibrary.Find(Name(arguments, 0));
        var rest = arguments with { Positional = [.. arguments.Positional.Skip(1)] };
        return item => filter(context, item, rest);
    }

    private static Generator Choose(RenderContext context, Value value, CallArguments arguments, bool byAttribute, bool wanted)
    {
        if (!value.IsTrue) return new Generator([]);
        int taken = byAttribute ? 1 : 0;
        if (arguments.Positional.Count < taken) throw TemplateException.Type("an attribute is needed");
        var read = AttributePath.Reader(context, byAttribute ? arguments.Positional[0] : null);
        var holds = arguments.Positional.Count > taken ? ByTest(context, arguments, taken) : item => item.IsTrue;
        return new Generator(context.Iterate(value).Where(item => holds(read(item)) == wanted));
    }

    private static Func<Value, bool> ByTest(RenderContext context, CallArguments arguments, int at)
    {
        var test = TestLibrary.Find(Name(arguments, at));
        var rest = arguments with { Positional = [.. arguments.Positional.Skip(at + 1)] };
        return item => test(context, item, rest);
    }

    private static string Name(CallArguments arguments, int at) =>
        arguments.Positional[at] is Text name ? name.Value : throw TemplateException.Type("the name of a filter or test must be a text");
}
