namespace Distill.Tokenization.Templates.Values;

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
