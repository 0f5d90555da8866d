namespace Distill.Templates.Values;

/// <summary>Something that can be called: a function of the environment, a method bound to its value, a macro.</summary>
internal sealed class Function(string name, Func<CallArguments, Value> body) : Value
{
    public string Name { get; } = name;

    /// <summary>What a template can ask of a macro; null for everything else.</summary>
    public MacroSignature? Macro { get; init; }

    public override string TypeName => Macro is null ? "function" : "Macro";

    public Value Invoke(CallArguments arguments) => body(arguments);
}

/// <summary>The members of a macro, as in Jinja 3.1.</summary>
/// <param name="Name">Null for the body of a <c>call</c> block.</param>
internal sealed record MacroSignature(
    string? Name, IReadOnlyList<string> Arguments, bool CatchesNamed, bool CatchesMore, bool TakesCaller, bool NamesCaller);

/// <summary>What <c>cycler</c> makes: gives its items in turn. Changed by its own methods only.</summary>
internal sealed class Cycler(IReadOnlyList<Value> items) : Value
{
    public IReadOnlyList<Value> Items => items;

    public int Position { get; private set; }

    public Value Current => items[Position];

    public override string TypeName => "Cycler";

    public Value Next()
    {
        var current = Current;
        Position = (Position + 1) % items.Count;
        return current;
    }

    public void Reset() => Position = 0;
}

/// <summary>What <c>joiner</c> makes: gives nothing the first time it is called and the separator from then on.</summary>
internal sealed class Joiner(Value separator) : Value
{
    public Value Separator => separator;

    public bool Used { get; private set; }

    public override string TypeName => "Joiner";

    public Value Invoke(CallArguments arguments)
    {
        arguments.Bind("this joiner");
        Value given = Used ? separator : Text.Empty;
        Used = true;
        return given;
    }
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

    /// <summary>As <see cref="Bind"/>, for Python's methods that know their arguments by position only.</summary>
    public Value?[] BindPositional(string function, params string[] parameters)
    {
        OnlyPositional(function);
        return Bind(function, parameters);
    }
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
