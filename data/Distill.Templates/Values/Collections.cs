using System.Diagnostics.CodeAnalysis;

namespace Distill.Templates.Values;

internal enum SequenceKind
{
    List,
    Tuple,
    Keys,
    Values,
    Items,
}

/// <summary>A list, tuple or dictionary view. Immutable: templates may not change lists.</summary>
internal sealed class Sequence(SequenceKind kind, IReadOnlyList<Value> items) : Value
{
    public SequenceKind Kind { get; } = kind;

    public IReadOnlyList<Value> Items { get; } = items;

    /// <summary>Names by which a tuple's items can be asked for too, as in Python's named tuples; null for all else.</summary>
    public IReadOnlyList<string>? Names { get; init; }

    public override bool IsTrue => Items.Count > 0;

    /// <summary>Views can be counted and walked, but not indexed.</summary>
    public bool IsIndexable => Kind is SequenceKind.List or SequenceKind.Tuple;

    public override string TypeName => Kind switch
    {
        SequenceKind.List => "list",
        SequenceKind.Tuple => "tuple",
        SequenceKind.Keys => "dict_keys",
        SequenceKind.Values => "dict_values",
        _ => "dict_items",
    };

    public static Sequence List(IEnumerable<Value> items) => new(SequenceKind.List, [.. items]);

    public static Sequence Tuple(params IEnumerable<Value> items) => new(SequenceKind.Tuple, [.. items]);
}

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

/// <summary>What <c>range</c> gives; at most as long as the limits allow.</summary>
internal sealed class Range(long start, long stop, long step) : Value
{
    public long Start => start;

    public long Stop => stop;

    public long Step => step;

    public int Count { get; } = (int)Math.Max(0, step > 0 ? (stop - start + step - 1) / step : (start - stop - step - 1) / -step);

    public override string TypeName => "range";

    public override bool IsTrue => Count > 0;

    public IReadOnlyList<Value> Items => field ??= [.. Enumerable.Range(0, Count).Select(i => new Integer(start + i * step))];
}

/// <summary>What <c>map</c>, <c>select</c> and their like give: can be walked once, has no length, and is always true.</summary>
internal sealed class Generator(IEnumerable<Value> items) : Value
{
    private readonly IEnumerator<Value> _items = items.GetEnumerator();

    public override string TypeName => "generator";

    public IEnumerable<Value> Rest()
    {
        while (_items.MoveNext()) yield return _items.Current;
    }
}
