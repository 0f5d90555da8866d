using Distill.Templates.Runtime;
using Distill.Templates.Values;

namespace Distill.Templates.Library;

/// <summary>
/// Methods and members of values. What would change a value does not exist; what Python has and this has not is refused by name.
/// </summary>
internal static class Members
{
    private static readonly HashSet<string> s_unsupported = [.. (string[])
        ["encode", "casefold", "expandtabs", "isascii", "isidentifier", "isprintable", "istitle", "format_map", "maketrans", "translate",
         "fromkeys", "real", "imag", "numerator", "denominator", "bit_length", "bit_count", "conjugate", "to_bytes", "from_bytes",
         "as_integer_ratio", "is_integer", "hex", "fromhex", "start", "stop", "step", "mapping", "isdisjoint"]];

    /// <summary>Null where the value has no such member; the item of that name may then be meant.</summary>
    public static Value? Find(RenderContext context, Value value, string name)
    {
        if (name.StartsWith('_')) return null;
        return value switch
        {
            Text text => TextMethods.Find(context, text, name) ?? Unsupported(value, name),
            Mapping mapping => MappingMethods.Find(mapping, name),
            Sequence { IsIndexable: true } sequence => SequenceMethod(context, sequence, name),
            Namespace space => space.Members.GetValueOrDefault(name),
            Loop loop => LoopMembers.Find(context, loop, name),
            Function function => FunctionMember(function, name),
            None or Undefined => null,
            _ => Unsupported(value, name),
        };
    }

    private static Function? SequenceMethod(RenderContext context, Sequence sequence, string name) => name switch
    {
        "index" => new Function(name, arguments => IndexOf(context, sequence, arguments)),
        "count" => new Function(name, arguments => new Integer(sequence.Items.Count(i => context.Comparison.Equals(i, Only(arguments))))),
        "copy" when sequence.Kind == SequenceKind.List => new Function(name, _ => sequence),
        _ => null,
    };

    private static Integer IndexOf(RenderContext context, Sequence sequence, CallArguments arguments)
    {
        var wanted = Only(arguments);
        for (int i = 0; i < sequence.Items.Count; i++)
            if (context.Comparison.Equals(sequence.Items[i], wanted)) return new Integer(i);
        throw TemplateException.Type("the item is not in the list");
    }

    private static Value Only(CallArguments arguments) =>
        arguments.Bind("this method", "value")[0] ?? throw TemplateException.Type("a value is needed");

    private static Value? FunctionMember(Function function, string name) =>
        function.MacroParameters is not { } parameters ? null : name switch
    {
        "name" => Text.Own(function.Name),
        "arguments" => Sequence.Tuple(parameters.Select(Text.Own)),
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
        _ when s_changing.Contains(name) => new Undefined($"'{name}' would change a dictionary and is not safe; it"),
        _ => null,
    };

    public static IEnumerable<Value> Pairs(Mapping mapping) => mapping.Entries.Select(e => Sequence.Tuple(e.Key, e.Value));

    private static Function View(string name, SequenceKind kind, Func<IEnumerable<Value>> items) =>
        new(name, arguments => arguments.Positional.Count + arguments.Keyword.Count == 0
            ? new Sequence(kind, [.. items()])
            : throw TemplateException.Type($"{name}() takes no arguments"));

    private static Value Get(Mapping mapping, CallArguments arguments)
    {
        var bound = arguments.Bind("get", "key", "default");
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
