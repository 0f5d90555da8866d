using Distill.Tokenization.Templates.Values;

namespace Distill.Tokenization.Templates.Runtime;

/// <summary>The variables of a block, in front of those around it.</summary>
internal sealed class Scope(Scope? outer)
{
    private readonly Dictionary<string, Value> _variables = [];

    public void Set(string name, Value value) => _variables[name] = value;

    public Value Get(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Outer)
            if (scope._variables.TryGetValue(name, out var value)) return value;
        return new Undefined($"'{name}'");
    }

    private Scope? Outer => outer;
}
