namespace Distill.Tokenization.Templates.Values;

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
