using Distill.Tokenization.Templates.Values;

namespace Distill.Tokenization.Templates.Library;

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
