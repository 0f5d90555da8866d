using System.Diagnostics.CodeAnalysis;

namespace Distill.Tokenization.Templates.Values;

/// <summary>A dictionary in the order its keys were first given. Immutable.</summary>
internal sealed class Mapping : Value
{
    private readonly Dictionary<Value, Value> _values;
    private readonly List<Value> _keys = [];

    /// <summary>A repeated key keeps its place and takes the last value.</summary>
    public Mapping(IEnumerable<KeyValuePair<Value, Value>> entries, IEqualityComparer<Value> keys)
    {
        _values = new Dictionary<Value, Value>(keys);
        foreach (var (key, value) in entries)
        {
            if (_values.TryAdd(key, value)) _keys.Add(key);
            else _values[key] = value;
        }
    }

    public IReadOnlyList<Value> Keys => _keys;

    public IEnumerable<KeyValuePair<Value, Value>> Entries => _keys.Select(key => KeyValuePair.Create(key, _values[key]));

    public int Count => _keys.Count;

    public override string TypeName => "dict";

    public override bool IsTrue => Count > 0;

    public bool TryGet(Value key, [NotNullWhen(true)] out Value? value) => _values.TryGetValue(key, out value);
}
