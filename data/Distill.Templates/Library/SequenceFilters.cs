using Distill.Templates.Runtime;
using Distill.Templates.Syntax;
using Distill.Templates.Values;

namespace Distill.Templates.Library;

/// <summary>Filters over whole sequences and dictionaries.</summary>
internal static class SequenceFilters
{
    public static Dictionary<string, Filter> All { get; } = new()
    {
        ["length"] = (c, v, a) => Length(v),
        ["count"] = (c, v, a) => Length(v),
        ["list"] = (c, v, a) => c.List(c.ToList(v)),
        ["first"] = (c, v, a) => c.Iterate(v).FirstOrDefault() ?? new Undefined("the first item of an empty sequence"),
        ["last"] = (c, v, a) =>
            v is Generator
                ? throw TemplateException.Type("a generator has no last item")
                : c.ToList(v).LastOrDefault() ?? new Undefined("the last item of an empty sequence"),
        ["join"] = Join,
        ["reverse"] = Reverse,
        ["batch"] = Batch,
        ["slice"] = Slice,
        ["sum"] = Sum,
        ["items"] = Items,
        ["sort"] = OrderFilters.Sort,
        ["dictsort"] = OrderFilters.DictSort,
        ["groupby"] = OrderFilters.GroupBy,
        ["unique"] = OrderFilters.Unique,
        ["min"] = (c, v, a) => OrderFilters.Extreme(c, v, a, sign: -1),
        ["max"] = (c, v, a) => OrderFilters.Extreme(c, v, a, sign: 1),
    };

    private static Integer Length(Value value) => new(value switch
    {
        Text text => CodePoints.Count(text.Value),
        Sequence sequence => sequence.Items.Count,
        Mapping mapping => mapping.Count,
        Values.Range range => range.Count,
        Loop loop => loop.Count,
        Undefined => 0,
        _ => throw TemplateException.Type($"object of type '{value.TypeName}' has no len()"),
    });

    private static Text Join(RenderContext context, Value value, CallArguments arguments)
    {
        var bound = arguments.Bind("join", "d", "attribute");
        var read = AttributePath.Reader(context, bound[1]);
        var separator = bound[0] is null ? Text.Empty : TextFilters.Plain(context, bound[0]!);
        return TextOperations.Join(context, separator, context.Iterate(value).Select(item => TextFilters.Plain(context, read(item))));
    }

    private static Value Reverse(RenderContext context, Value value, CallArguments arguments)
    {
        var items = context.ToList(value);
        items.Reverse();
        return value is Text
            ? context.Concat([Text.Empty, .. items.Cast<Text>()])
            : value is Generator ? context.List(items) : new Generator(items);
    }

    private static Generator Batch(RenderContext context, Value value, CallArguments arguments)
    {
        var bound = arguments.Bind("batch", "linecount", "fill_with");
        long size = Numbers.Clipped(bound[0] ?? throw TemplateException.Type("batch needs a size"), "linecount");
        return new Generator(Batches(context, context.Iterate(value), size, bound[1]));
    }

    private static IEnumerable<Value> Batches(RenderContext context, IEnumerable<Value> items, long size, Value? fill)
    {
        var batch = new List<Value>();
        foreach (var item in items)
        {
            if (batch.Count == size)
            {
                yield return context.List(batch);
                batch = [];
            }
            batch.Add(item);
        }
        if (batch.Count == 0) yield break;
        if (fill is not (null or None) && size > batch.Count)
        {
            context.Budget.Charge(size);
            batch.AddRange(Enumerable.Repeat(fill, (int)size - batch.Count));
        }
        yield return context.List(batch);
    }

    private static Generator Slice(RenderContext context, Value value, CallArguments arguments)
    {
        var bound = arguments.Bind("slice", "slices", "fill_with");
        long slices = Numbers.Clipped(bound[0] ?? throw TemplateException.Type("slice needs a number"), "slices");
        if (slices == 0) throw TemplateException.Type("division by zero");
        context.Budget.Charge(Math.Max(slices, 0));
        var items = context.ToList(value);
        return new Generator(Slices(items, (int)Math.Max(slices, 0), bound[1]));
    }

    private static IEnumerable<Value> Slices(List<Value> items, int slices, Value? fill)
    {
        int at = 0;
        for (int i = 0; i < slices; i++)
        {
            bool longer = i < items.Count % slices;
            int size = items.Count / slices + (longer ? 1 : 0);
            var slice = items.GetRange(at, size);
            at += size;
            if (!longer && fill is not (null or None)) slice.Add(fill);
            yield return Sequence.List(slice);
        }
    }

    private static Value Sum(RenderContext context, Value value, CallArguments arguments)
    {
        var bound = arguments.Bind("sum", "attribute", "start");
        var read = AttributePath.Reader(context, bound[0]);
        var arithmetic = new Arithmetic(context);
        return context.Iterate(value).Aggregate(bound[1] ?? new Integer(0),
            (sum, item) => arithmetic.Apply(BinaryOperator.Add, sum, read(item)));
    }

    private static Generator Items(RenderContext context, Value value, CallArguments arguments) => value switch
    {
        Mapping mapping => new Generator(MappingMethods.Pairs(mapping)),
        Undefined => new Generator([]),
        _ => throw TemplateException.Type("Can only get item pairs from a mapping."),
    };
}

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
