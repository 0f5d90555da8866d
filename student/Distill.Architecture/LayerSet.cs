using System.Collections;

namespace Distill.Architecture;

/// <summary>Which layers of a decoder have a property, compared by content so that architectures are. Immutable, thread-safe.</summary>
public sealed class LayerSet : IEquatable<LayerSet>
{
    private readonly int[] layers; // ascending, each once

    /// <param name="layers">Indices from 0, in any order.</param>
    public LayerSet(IEnumerable<int> layers) => this.layers = [.. layers.Distinct().Order()];

    public static LayerSet None { get; } = new([]);

    public int Count => layers.Length;

    /// <summary>Ascending.</summary>
    public IReadOnlyList<int> Layers => layers;

    /// <summary>All layers of a decoder from <paramref name="first"/> on.</summary>
    public static LayerSet From(int first, int layers) => Where(layers, layer => layer >= first);

    /// <summary>The layers of a decoder of <paramref name="layers"/> layers that fulfil a condition.</summary>
    public static LayerSet Where(int layers, Func<int, bool> has) => new(Enumerable.Range(0, Math.Max(0, layers)).Where(has));

    public bool Contains(int layer) => Array.BinarySearch(layers, layer) >= 0;

    public bool Equals(LayerSet? other) => other is not null && layers.AsSpan().SequenceEqual(other.layers);

    public override bool Equals(object? obj) => Equals(obj as LayerSet);

    public override int GetHashCode() => layers.Aggregate(layers.Length, HashCode.Combine);

    public override string ToString() => layers.Length == 0 ? "none" : string.Join(", ", layers);
}

/// <summary>Token ids in a given order, each once, compared by content. At least one. Immutable, thread-safe.</summary>
public sealed class TokenIdList : IReadOnlyList<int>, IEquatable<TokenIdList>
{
    private readonly int[] ids;

    /// <exception cref="ArgumentException">There are none.</exception>
    public TokenIdList(IEnumerable<int> ids)
    {
        this.ids = [.. ids.Distinct()];
        if (this.ids.Length == 0) throw new ArgumentException("A list of token ids needs at least one.", nameof(ids));
    }

    public int Count => ids.Length;

    public int this[int index] => ids[index];

    public IEnumerator<int> GetEnumerator() => ids.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => ids.GetEnumerator();

    public bool Equals(TokenIdList? other) => other is not null && ids.AsSpan().SequenceEqual(other.ids);

    public override bool Equals(object? obj) => Equals(obj as TokenIdList);

    public override int GetHashCode() => ids.Aggregate(ids.Length, HashCode.Combine);

    public override string ToString() => string.Join(", ", ids);
}
