using Distill.Tokenization.Templates.Runtime;
using Distill.Tokenization.Templates.Values;

namespace Distill.Tokenization.Templates.Library;

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
