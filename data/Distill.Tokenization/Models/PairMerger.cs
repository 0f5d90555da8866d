namespace Distill.Tokenization.Models;

/// <summary>Merges the symbols of one word: a queue by (rank, position) over a linked list, O(n log n) for n symbols.</summary>
internal static class PairMerger
{
    /// <summary>The merged symbols. <paramref name="symbols"/> is used up.</summary>
    public static List<int> Merge(List<int> symbols, MergeTable merges, IReadOnlySet<int> forbidden)
    {
        if (symbols.Count < 2) return symbols;
        var links = new Links(symbols);
        var queue = new PriorityQueue<Candidate, (int Rank, int Position)>();
        for (int at = 0; at < symbols.Count - 1; at++) Offer(at);
        while (queue.TryDequeue(out var candidate, out _))
        {
            int left = candidate.Position, right = links.Next(left);
            // The symbols may have changed since the pair was queued: then it merges only if the outcome is still the same.
            if (links.IsGone(left) || right < 0 || !merges.TryGet(symbols[left], symbols[right], out var merge) || merge.Id != candidate.Id)
                continue;
            symbols[left] = candidate.Id;
            links.Remove(right);
            if (links.Previous(left) is >= 0 and var before) Offer(before);
            Offer(left);
        }
        return links.Remaining();

        void Offer(int at)
        {
            int next = links.Next(at);
            if (next >= 0 && merges.TryGet(symbols[at], symbols[next], out var merge) && !forbidden.Contains(merge.Id))
                queue.Enqueue(new Candidate(at, merge.Id), (merge.Rank, at));
        }
    }

    private readonly record struct Candidate(int Position, int Id);

    /// <summary>A doubly linked list over the positions of a word.</summary>
    private sealed class Links
    {
        private const int Gone = -2;
        private readonly List<int> _symbols;
        private readonly int[] _next;
        private readonly int[] _previous;

        public Links(List<int> symbols)
        {
            _symbols = symbols;
            _next = [.. Enumerable.Range(1, symbols.Count)];
            _next[^1] = -1;
            _previous = [.. Enumerable.Range(-1, symbols.Count)];
        }

        public int Next(int at) => _next[at];

        public int Previous(int at) => _previous[at];

        public bool IsGone(int at) => _next[at] == Gone;

        public void Remove(int at)
        {
            _next[_previous[at]] = _next[at];
            if (_next[at] >= 0) _previous[_next[at]] = _previous[at];
            _next[at] = Gone;
        }

        public List<int> Remaining()
        {
            var remaining = new List<int>();
            for (int at = 0; at >= 0; at = _next[at]) remaining.Add(_symbols[at]);
            return remaining;
        }
    }
}
