namespace Distill.Templates.Values;

/// <summary>Something that can be called: a function of the environment, a method bound to its value, a macro.</summary>
internal sealed class Function(string name, Func<CallArguments, Value> body) : Value
{
    public string Name { get; } = name;

    /// <summary>Names of a macro's parameters; null for everything else.</summary>
    public IReadOnlyList<string>? MacroParameters { get; init; }

    public override string TypeName => "function";

    public Value Invoke(CallArguments arguments) => body(arguments);
}

/// <summary>The arguments of a call.</summary>
internal sealed record CallArguments(IReadOnlyList<Value> Positional, IReadOnlyList<KeyValuePair<string, Value>> Keyword)
{
    public static CallArguments None { get; } = new([], []);

    /// <summary>Arguments in the order of the parameters' names; null where none was given.</summary>
    /// <exception cref="TemplateException">Too many, unknown or repeated arguments.</exception>
    public Value?[] Bind(string function, params string[] parameters)
    {
        if (Positional.Count > parameters.Length)
            throw TemplateException.Type($"{function} takes at most {parameters.Length} arguments, not {Positional.Count}");
        var bound = new Value?[parameters.Length];
        for (int i = 0; i < Positional.Count; i++) bound[i] = Positional[i];
        foreach (var (name, value) in Keyword)
        {
            int at = Array.IndexOf(parameters, name);
            if (at < 0 || bound[at] is not null) throw TemplateException.Type($"{function} got an unexpected argument '{name}'");
            bound[at] = value;
        }
        return bound;
    }

    /// <summary>The positional arguments, where names are not allowed.</summary>
    public IReadOnlyList<Value> OnlyPositional(string function) =>
        Keyword.Count == 0 ? Positional : throw TemplateException.Type($"{function} takes no named arguments");
}

/// <summary>The one thing a template may change.</summary>
internal sealed class Namespace : Value
{
    public Dictionary<string, Value> Members { get; } = [];

    public override string TypeName => "Namespace";
}

/// <summary>The <c>loop</c> variable: where a loop stands.</summary>
internal sealed class Loop(IReadOnlyList<Value> items, int depth, Func<Value, Value>? recurse) : Value
{
    private Value[]? _lastSeen;

    public int Index { get; set; }

    public int Count => items.Count;

    public int Depth => depth;

    /// <summary>Null where the loop is not <c>recursive</c>.</summary>
    public Func<Value, Value>? Recurse => recurse;

    public override string TypeName => "LoopContext";

    public Value ItemAt(int index) => index >= 0 && index < items.Count ? items[index] : new Undefined("there is no such item, it");

    /// <summary>Whether the values differ from those of the call before.</summary>
    public bool Changed(IReadOnlyList<Value> values, IEqualityComparer<Value> equality)
    {
        bool changed = _lastSeen is null || !_lastSeen.SequenceEqual(values, equality);
        _lastSeen = [.. values];
        return changed;
    }
}
