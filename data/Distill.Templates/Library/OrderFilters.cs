using Distill.Templates.Runtime;
using Distill.Templates.Values;

namespace Distill.Templates.Library;

/// <summary>Filters that compare items; texts compare without regard to case unless told otherwise.</summary>
internal static class OrderFilters
{
    private static readonly string[] s_groupNames = ["grouper", "list"];

    public static Value Sort(RenderContext context, Value value, CallArguments arguments)
    {
        var bound = arguments.Bind("sort", "reverse", "case_sensitive", "attribute");
        var readers = Paths(bound[2]).Select(path => Key(context, path, IsTrue(bound[1]))).ToList();
        return context.List(context.Comparison.Sort(context.ToList(value), item => Sequence.List(readers.Select(r => r(item))),
            IsTrue(bound[0])));
    }

    public static Value DictSort(RenderContext context, Value value, CallArguments arguments)
    {
        var bound = arguments.Bind("dictsort", "case_sensitive", "by", "reverse");
        if (value is not Mapping mapping) throw TemplateException.Type($"'{value.TypeName}' has no items to sort");
        int at = bound[1] switch
        {
            null or Text { Value: "key" } => 0,
            Text { Value: "value" } => 1,
            _ => throw TemplateException.Type("by must be key or value"),
        };
        return context.List(context.Comparison.Sort<Value>([.. MappingMethods.Pairs(mapping)],
            pair => Folded(((Sequence)pair).Items[at], IsTrue(bound[0])), IsTrue(bound[2])));
    }

    public static Value GroupBy(RenderContext context, Value value, CallArguments arguments)
    {
        var bound = arguments.Bind("groupby", "attribute", "default", "case_sensitive");
        var read = AttributePath.Reader(context, bound[0] ?? throw TemplateException.Type("groupby needs an attribute"), bound[1]);
        var key = Key(context, bound[0], IsTrue(bound[2]), bound[1]);
        var groups = new List<(Value Key, List<Value> Items)>();
        foreach (var item in context.Comparison.Sort(context.ToList(value), key, descending: false))
        {
            if (groups.Count == 0 || !context.Comparison.Equals(key(groups[^1].Items[0]), key(item))) groups.Add((read(item), []));
            groups[^1].Items.Add(item);
        }
        return context.List([.. groups.Select(group =>
            new Sequence(SequenceKind.Tuple, [group.Key, context.List(group.Items)]) { Names = s_groupNames })]);
    }

    public static Value Unique(RenderContext context, Value value, CallArguments arguments)
    {
        var bound = arguments.Bind("unique", "case_sensitive", "attribute");
        return new Generator(context.Iterate(value).DistinctBy(Key(context, bound[1], IsTrue(bound[0])), context.Comparison));
    }

    /// <param name="sign">−1 for the least, 1 for the greatest; of equal ones the first.</param>
    public static Value Extreme(RenderContext context, Value value, CallArguments arguments, int sign)
    {
        var bound = arguments.Bind("min and max", "case_sensitive", "attribute");
        var key = Key(context, bound[1], IsTrue(bound[0]));
        Value? best = null;
        foreach (var item in context.Iterate(value))
            if (best is null || Math.Sign(context.Comparison.Compare(key(item), key(best))) == sign) best = item;
        return best ?? new Undefined("the extreme of an empty sequence");
    }

    private static Func<Value, Value> Key(RenderContext context, Value? path, bool caseSensitive, Value? otherwise = null)
    {
        var read = AttributePath.Reader(context, path, otherwise);
        return item => Folded(read(item), caseSensitive);
    }

    /// <summary>Several attributes may be given with commas between.</summary>
    private static IEnumerable<Value?> Paths(Value? path) => path is Text text ? text.Value.Split(',').Select(Text.Own) : [path];

    private static Value Folded(Value value, bool caseSensitive) =>
        !caseSensitive && value is Text text ? text.Become(PythonCase.Lower(text.Value)) : value;

    private static bool IsTrue(Value? value) => value?.IsTrue ?? false;
}
