using Distill.Templates.Runtime;
using Distill.Templates.Values;

namespace Distill.Templates.Library;

/// <summary>
/// Methods and members of values. What would change a value does not exist; what Python has and this has not is refused by name.
/// </summary>
internal static class Members
{
    private static readonly HashSet<string> s_unsupported = [.. (string[])
        ["encode", "isidentifier", "maketrans", "translate", "fromkeys", "real", "imag", "numerator", "denominator", "bit_length",
         "bit_count", "conjugate", "to_bytes", "from_bytes", "as_integer_ratio", "is_integer", "hex", "fromhex", "mapping", "isdisjoint"]];

    private static readonly string[] s_changing = ["append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"];

    /// <summary>Null where the value has no such member; the item of that name may then be meant.</summary>
    public static Value? Find(RenderContext context, Value value, string name)
    {
        if (name.StartsWith('_')) return null;
        return value switch
        {
            Text text => TextMethods.Find(context, text, name) ?? Unsupported(value, name),
            Mapping mapping => MappingMethods.Find(mapping, name) ?? Unsupported(value, name),
            Sequence { IsIndexable: true } sequence => NamedItem(sequence, name) ?? SequenceMethod(context, sequence, name),
            Values.Range range => RangeMember(context, range, name),
            Namespace space => space.Members.GetValueOrDefault(name),
            Loop loop => LoopMembers.Find(context, loop, name),
            Cycler cycler => CyclerMember(cycler, name),
            Joiner joiner => name switch { "sep" => joiner.Separator, "used" => Values.Boolean.Of(joiner.Used), _ => null },
            Function function => function.Macro is { } macro ? MacroMember(macro, name) : null,
            None or Undefined => null,
            _ => Unsupported(value, name),
        };
    }

    private static Value? NamedItem(Sequence sequence, string name) =>
        sequence.Names?.ToList().IndexOf(name) is >= 0 and var at ? sequence.Items[at] : null;

    private static Value? SequenceMethod(RenderContext context, Sequence sequence, string name) => name switch
    {
        "index" => new Function(name, arguments =>
            IndexOf(context, sequence.Items, arguments.BindPositional(name, "value", "start", "stop"))),
        "count" => new Function(name, arguments => CountOf(context, sequence.Items, arguments)),
        "copy" when sequence.Kind == SequenceKind.List => new Function(name, _ => sequence),
        _ when sequence.Kind == SequenceKind.List && s_changing.Contains(name) =>
            new Undefined($"'{name}' would change a list; it", isUnsafe: true),
        _ => null,
    };

    private static Value? RangeMember(RenderContext context, Values.Range range, string name) => name switch
    {
        "start" => new Integer(range.Start),
        "stop" => new Integer(range.Stop),
        "step" => new Integer(range.Step),
        "index" => new Function(name, arguments =>
            IndexOf(context, range.Items, [.. arguments.BindPositional(name, "value"), null, null])),
        "count" => new Function(name, arguments => CountOf(context, range.Items, arguments)),
        _ => null,
    };

    private static Integer IndexOf(RenderContext context, IReadOnlyList<Value> items, Value?[] bound)
    {
        var wanted = bound[0] ?? throw TemplateException.Type("a value is needed");
        int start = Bound(bound[1], 0), stop = Bound(bound[2], items.Count);
        for (int i = start; i < stop; i++)
            if (context.Comparison.Equals(items[i], wanted)) return new Integer(i);
        throw TemplateException.Type("the item is not in the list");

        int Bound(Value? value, int otherwise)
        {
            long at = value is null ? otherwise : Numbers.Clipped(value, "a bound of index");
            return (int)Math.Clamp(at < 0 ? at + items.Count : at, 0, items.Count);
        }
    }

    private static Integer CountOf(RenderContext context, IReadOnlyList<Value> items, CallArguments arguments)
    {
        var wanted = arguments.BindPositional("count", "value")[0] ?? throw TemplateException.Type("a value is needed");
        return new Integer(items.Count(item => context.Comparison.Equals(item, wanted)));
    }

    private static Value? CyclerMember(Cycler cycler, string name) => name switch
    {
        "items" => Sequence.Tuple(cycler.Items),
        "pos" => new Integer(cycler.Position),
        "current" => cycler.Current,
        "next" => new Function(name, arguments => arguments.Bind(name) is [] ? cycler.Next() : None.Instance),
        "reset" => new Function(name, arguments => Reset(cycler, arguments)),
        _ => null,
    };

    private static None Reset(Cycler cycler, CallArguments arguments)
    {
        arguments.Bind("reset");
        cycler.Reset();
        return None.Instance;
    }

    private static Value? MacroMember(MacroSignature macro, string name) => name switch
    {
        "name" => macro.Name is { } given ? Text.Own(given) : None.Instance,
        "arguments" => Sequence.Tuple(macro.Arguments.Select(Text.Own)),
        "catch_kwargs" => Values.Boolean.Of(macro.CatchesNamed),
        "catch_varargs" => Values.Boolean.Of(macro.CatchesMore),
        "caller" => Values.Boolean.Of(macro.TakesCaller),
        "explicit_caller" => Values.Boolean.Of(macro.NamesCaller),
        _ => null,
    };

    private static Value? Unsupported(Value value, string name) => s_unsupported.Contains(name)
        ? throw TemplateException.Unsupported($"'{name}' of '{value.TypeName}' is not supported")
        : null;
}

/// <summary>Methods of dictionaries. A method hides a key of the same name behind a dot, as in Python.</summary>
internal static class MappingMethods
{
    private static readonly string[] s_changing = ["clear", "pop", "popitem", "setdefault", "update"];

    public static Value? Find(Mapping mapping, string name) => name switch
    {
        "keys" => View(name, SequenceKind.Keys, () => mapping.Keys),
        "values" => View(name, SequenceKind.Values, () => mapping.Entries.Select(e => e.Value)),
        "items" => View(name, SequenceKind.Items, () => Pairs(mapping)),
        "get" => new Function(name, arguments => Get(mapping, arguments)),
        "copy" => new Function(name, _ => mapping),
        _ when s_changing.Contains(name) => new Undefined($"'{name}' would change a dictionary; it", isUnsafe: true),
        _ => null,
    };

    public static IEnumerable<Value> Pairs(Mapping mapping) => mapping.Entries.Select(e => Sequence.Tuple(e.Key, e.Value));

    private static Function View(string name, SequenceKind kind, Func<IEnumerable<Value>> items) =>
        new(name, arguments => arguments.Positional.Count + arguments.Keyword.Count == 0
            ? new Sequence(kind, [.. items()])
            : throw TemplateException.Type($"{name}() takes no arguments"));

    private static Value Get(Mapping mapping, CallArguments arguments)
    {
        var bound = arguments.BindPositional("get", "key", "default");
        var key = bound[0] ?? throw TemplateException.Type("get needs a key");
        return mapping.TryGet(key, out var value) ? value : bound[1] ?? None.Instance;
    }
}

/// <summary>Members of <c>loop</c>.</summary>
internal static class LoopMembers
{
    public static Value? Find(RenderContext context, Loop loop, string name) => name switch
    {
        "index" => new Integer(loop.Index + 1),
        "index0" => new Integer(loop.Index),
        "revindex" => new Integer(loop.Count - loop.Index),
        "revindex0" => new Integer(loop.Count - loop.Index - 1),
        "first" => Values.Boolean.Of(loop.Index == 0),
        "last" => Values.Boolean.Of(loop.Index == loop.Count - 1),
        "length" => new Integer(loop.Count),
        "depth" => new Integer(loop.Depth),
        "depth0" => new Integer(loop.Depth - 1),
        "previtem" => loop.ItemAt(loop.Index - 1),
        "nextitem" => loop.ItemAt(loop.Index + 1),
        "cycle" => new Function(name, arguments => Cycle(loop, arguments.OnlyPositional(name))),
        "changed" => new Function(name, arguments => Values.Boolean.Of(loop.Changed(arguments.OnlyPositional(name), context.Comparison))),
        _ => null,
    };

    private static Value Cycle(Loop loop, IReadOnlyList<Value> values) =>
        values.Count == 0 ? throw TemplateException.Type("no items for cycling given") : values[loop.Index % values.Count];
}
