namespace Distill.Data.Problems;

/// <summary>
/// SplitMix64 (Steele, Lea and Flood, 2014): a stream of draws that is part of the contract of a problem family, unlike
/// <see cref="Random"/>, whose algorithm may change. A class, because a copied struct would repeat its draws unnoticed.
/// Not safe for concurrent use.
/// </summary>
public sealed class RandomSource
{
    private const ulong Step = 0x9E3779B97F4A7C15;
    private ulong state;

    /// <param name="owner">Whose draws these are, e.g. the name of a family.</param>
    /// <param name="purpose">What they are for; different purposes of one owner are unrelated streams.</param>
    public RandomSource(string owner, string purpose, ulong seed, long index)
    {
        state = StableHash.Mix(StableHash.Of(owner) + Step);
        state = StableHash.Mix((state ^ StableHash.Of(purpose)) + Step);
        state = StableHash.Mix((state ^ seed) + Step);
        state = StableHash.Mix((state ^ (ulong)index) + Step);
    }

    public ulong Next()
    {
        state += Step;
        return StableHash.Mix(state);
    }

    /// <summary>Uniform in 0 … <paramref name="bound"/> − 1.</summary>
    public int Below(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        // Lemire's multiply-shift; the rejected low products are what would make some values likelier than others.
        var threshold = (0UL - (ulong)bound) % (ulong)bound;
        while (true)
        {
            var high = Math.BigMul(Next(), (ulong)bound, out var low);
            if (low >= threshold)
                return (int)high;
        }
    }

    /// <summary>Uniform in <paramref name="low"/> … <paramref name="high"/>, both included.</summary>
    public int Between(int low, int high)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(high, low);
        return low + Below(high - low + 1);
    }

    public bool Chance(int percent) => Below(100) < percent;

    public T Pick<T>(IReadOnlyList<T> choices)
    {
        ArgumentNullException.ThrowIfNull(choices);
        return choices[Below(choices.Count)];
    }

    /// <summary>Draws again until there is a result, at most <paramref name="tries"/> times; then null.</summary>
    public T? FirstOf<T>(int tries, Func<RandomSource, T?> draw)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(draw);
        for (var i = 0; i < tries; i++)
        {
            if (draw(this) is { } result)
                return result;
        }

        return null;
    }

    /// <summary>Fisher–Yates, in place.</summary>
    public void Shuffle<T>(IList<T> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        for (var i = items.Count - 1; i > 0; i--)
        {
            var other = Below(i + 1);
            (items[i], items[other]) = (items[other], items[i]);
        }
    }

    /// <summary><paramref name="count"/> different items, in random order.</summary>
    public IReadOnlyList<T> Sample<T>(IReadOnlyList<T> items, int count)
    {
        var shuffled = items.ToList();
        Shuffle(shuffled);
        return shuffled.GetRange(0, count);
    }
}

/// <summary>
/// FNV-1a over UTF-16 code units, 64 bits (Fowler, Noll and Vo). The same value on every machine and in every version:
/// splits and random draws hang on it, so it must never change.
/// </summary>
internal static class StableHash
{
    private const ulong Offset = 14695981039346656037;
    private const ulong Prime = 1099511628211;

    public static ulong Of(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var hash = Offset;
        foreach (var unit in text)
        {
            hash = (hash ^ (byte)unit) * Prime;
            hash = (hash ^ (byte)(unit >> 8)) * Prime;
        }

        return hash;
    }

    /// <summary>Spreads every input bit over the whole word: the finaliser of SplitMix64 (Steele, Lea and Flood, 2014).</summary>
    public static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
