using System.Runtime.InteropServices;

namespace Distill.Tokenization.Training;

/// <summary>
/// Words as token ids with their counts, and how often each neighbouring pair occurs in them, kept up to date while pairs merge.
/// </summary>
internal sealed class PairCorpus
{
    private readonly List<(List<int> Symbols, long Count)> _words;
    private readonly Dictionary<(int Left, int Right), long> _counts = [];
    // Words in which a pair has occurred; it may since have gone.
    private readonly Dictionary<(int Left, int Right), HashSet<int>> _where = [];

    public PairCorpus(IEnumerable<(List<int> Symbols, long Count)> words)
    {
        _words = [.. words];
        for (int word = 0; word < _words.Count; word++) Tally(word, +1);
    }

    /// <summary>The most frequent pair, of equal ones that with the lowest ids; null when no pair is left.</summary>
    public ((int Left, int Right) Pair, long Count)? MostFrequent()
    {
        ((int, int) Pair, long Count)? best = null;
        foreach (var (pair, count) in _counts)
            if (count > 0 && (best is not { } b || count > b.Count || (count == b.Count && pair.CompareTo(b.Pair) < 0)))
                best = (pair, count);
        return best;
    }

    /// <summary>Writes <paramref name="id"/> for every occurrence of the pair, from left to right.</summary>
    public void Merge((int Left, int Right) pair, int id)
    {
        foreach (int word in _where[pair].ToArray())
        {
            Tally(word, -1);
            Replace(_words[word].Symbols, pair, id);
            Tally(word, +1);
        }
        _counts.Remove(pair);
        _where.Remove(pair);
    }

    private void Tally(int word, int sign)
    {
        var (symbols, count) = _words[word];
        for (int at = 1; at < symbols.Count; at++)
        {
            var pair = (symbols[at - 1], symbols[at]);
            CollectionsMarshal.GetValueRefOrAddDefault(_counts, pair, out _) += sign * count;
            if (sign < 0) continue;
            ref var where = ref CollectionsMarshal.GetValueRefOrAddDefault(_where, pair, out _);
            (where ??= []).Add(word);
        }
    }

    private static void Replace(List<int> symbols, (int Left, int Right) pair, int id)
    {
        int kept = 0;
        for (int at = 0; at < symbols.Count; at++)
        {
            bool merges = at + 1 < symbols.Count && (symbols[at], symbols[at + 1]) == pair;
            symbols[kept++] = merges ? id : symbols[at];
            if (merges) at++;
        }
        symbols.RemoveRange(kept, symbols.Count - kept);
    }
}
