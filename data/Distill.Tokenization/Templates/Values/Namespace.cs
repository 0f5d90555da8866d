namespace Distill.Tokenization.Templates.Values;

/// <summary>The one thing a template may change.</summary>
internal sealed class Namespace : Value
{
    public Dictionary<string, Value> Members { get; } = [];

    public override string TypeName => "Namespace";
}
