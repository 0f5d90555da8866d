namespace Distill.Tokenization.Templates.Values;

/// <summary>Something that can be called: a function of the environment, a method bound to its value, a macro.</summary>
internal sealed class Function(string name, Func<CallArguments, Value> body) : Value
{
    public string Name { get; } = name;

    /// <summary>Names of a macro's parameters; null for everything else.</summary>
    public IReadOnlyList<string>? MacroParameters { get; init; }

    public override string TypeName => "function";

    public Value Invoke(CallArguments arguments) => body(arguments);
}
