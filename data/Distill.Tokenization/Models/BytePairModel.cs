using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Distill.Tokenization.Splitting;

namespace Distill.Tokenization.Models;

/// <summary>Everything a byte-pair model needs besides vocabulary and merges.</summary>
/// <param name="UnknownToken">Stands for characters without a token; null lets them vanish.</param>
/// <param name="FuseUnknown">A run of unknown characters becomes one unknown token.</param>
/// <param name="ByteFallback">A character without a token becomes its UTF-8 bytes, as tokens <c>&lt;0x00&gt;</c> …
/// <c>&lt;0xFF&gt;</c>.</param>
/// <param name="IgnoreMerges">A word that is a token as a whole is that token, whatever the merges say.</param>
internal sealed record BytePairOptions(string? UnknownToken, bool FuseUnknown, bool ByteFallback, bool IgnoreMerges);

/// <summary>
/// Byte-pair encoding (Sennrich et al. 2016): a word begins as its characters, and the pair with the lowest rank merges, leftmost
/// first, until none is left. Immutable and thread-safe.
/// </summary>
internal sealed class BytePairModel
{
    private readonly int? _unknown;
    private readonly int[]? _byteTokens;

    /// <exception cref="InvalidDataException">The unknown token or a byte token is missing.</exception>
    public BytePairModel(Vocabulary vocabulary, MergeTable merges, BytePairOptions options)
    {
        Vocabulary = vocabulary;
        Merges = merges;
        Options = options;
        if (options.UnknownToken is { } unknown)
            _unknown = vocabulary.TryIdOf(unknown, out int id)
                ? id
                : throw new InvalidDataException($"the unknown token '{unknown}' is not in the vocabulary");
        _byteTokens = options.ByteFallback ? ByteTokens(vocabulary) : null;
    }

    public Vocabulary Vocabulary { get; }

    public MergeTable Merges { get; }

    public BytePairOptions Options { get; }

    /// <summary>The ids of one word, appended to <paramref name="output"/>.</summary>
    /// <param name="forbidden">Ids that must not come out of text, such as those of control tokens; the unknown token may.</param>
    public void Encode(ReadOnlySpan<char> word, IReadOnlySet<int> forbidden, List<int> output)
    {
        if (Options.IgnoreMerges && Vocabulary.TryIdOf(word, out int whole) && !forbidden.Contains(whole))
        {
            output.Add(whole);
            return;
        }
        var symbols = Symbols(word, forbidden);
        output.AddRange(PairMerger.Merge(symbols, Merges, forbidden));
    }

    private List<int> Symbols(ReadOnlySpan<char> word, IReadOnlySet<int> forbidden)
    {
        var symbols = new List<int>(word.Length);
        bool afterUnknown = false;
        while (!word.IsEmpty)
        {
            int length = Rune.DecodeFromUtf16(word, out _, out int consumed) == OperationStatus.Done ? consumed : 1;
            bool known = Vocabulary.TryIdOf(word[..length], out int id) && !forbidden.Contains(id);
            if (known) symbols.Add(id);
            else if (!AddBytes(word[..length], symbols) && _unknown is { } unknown && !(afterUnknown && Options.FuseUnknown))
                symbols.Add(unknown);
            afterUnknown = !known && symbols.Count > 0 && symbols[^1] == _unknown;
            word = word[length..];
        }
        return symbols;
    }

    private bool AddBytes(ReadOnlySpan<char> character, List<int> symbols)
    {
        if (_byteTokens is null) return false;
        Span<byte> bytes = stackalloc byte[4];
        bytes = bytes[..Encoding.UTF8.GetBytes(character, bytes)];
        foreach (byte b in bytes)
            if (_byteTokens[b] < 0) return false;
        foreach (byte b in bytes) symbols.Add(_byteTokens[b]);
        return true;
    }

    private static int[] ByteTokens(Vocabulary vocabulary) => [.. Enumerable.Range(0, 256)
        .Select(b => vocabulary.TryIdOf(string.Create(CultureInfo.InvariantCulture, $"<0x{b:X2}>"), out int id) ? id : -1)];
}

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

/// <summary>Encodes words and remembers the short ones: text repeats its words. Thread-safe; equal words always give equal ids.</summary>
/// <param name="model">The model behind.</param>
/// <param name="byteLevel">Words are written in the byte alphabet before the model sees them.</param>
/// <param name="forbidden">Ids that must not come out of text.</param>
internal sealed class WordEncoder(BytePairModel model, bool byteLevel, IReadOnlySet<int> forbidden)
{
    private const int Capacity = 1 << 16;
    private const int LongestKept = 48;

    private readonly ConcurrentDictionary<string, int[]> _known = new();
    private int _count;

    public void Encode(ReadOnlySpan<char> word, List<int> output)
    {
        if (word.IsEmpty) return;
        if (word.Length <= LongestKept && _known.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(word, out int[]? ids))
        {
            output.AddRange(ids);
            return;
        }
        int start = output.Count;
        model.Encode(byteLevel ? ByteLevelPreTokenizer.Map(word) : word, forbidden, output);
        if (word.Length <= LongestKept && Volatile.Read(ref _count) < Capacity && _known.TryAdd(word.ToString(), [.. output.Skip(start)]))
            Interlocked.Increment(ref _count);
    }
}
