namespace Distill.Tokenization.Templates.Values;

/// <summary>A list, tuple or dictionary view. Immutable: templates may not change lists.</summary>
internal sealed class Sequence(SequenceKind kind, IReadOnlyList<Value> items) : Value
{
    public SequenceKind Kind { get; } = kind;

    public IReadOnlyList<Value> Items { get; } = items;

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
