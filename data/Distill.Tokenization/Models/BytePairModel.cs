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

    /// <summary>
    /// The ids of one word, appended to <paramref name="output"/>. A merge may pass through a forbidden token, as in the reference;
    /// where one is left in the result, that stretch is merged anew without it.
    /// </summary>
    /// <param name="forbidden">Ids that must not come out of text, such as those of control tokens; the unknown token may.</param>
    public void Encode(ReadOnlySpan<char> word, IReadOnlySet<int> forbidden, List<int> output)
    {
        if (Options.IgnoreMerges && Vocabulary.TryIdOf(word, out int whole) && !forbidden.Contains(whole))
        {
            output.Add(whole);
            return;
        }
        var refused = new RefusedStretches();
        while (true)
        {
            var merged = PairMerger.Merge(Symbols(word, refused), Merges, refused);
            if (!refused.AddStanding(merged, forbidden))
            {
                foreach (var symbol in merged) output.Add(symbol.Id);
                return;
            }
        }
    }

    private List<Symbol> Symbols(ReadOnlySpan<char> word, RefusedStretches refused)
    {
        var symbols = new List<Symbol>(word.Length);
        bool afterUnknown = false;
        for (int at = 0, length; at < word.Length; at += length)
        {
            length = Rune.DecodeFromUtf16(word[at..], out _, out int consumed) == OperationStatus.Done ? consumed : 1;
            var character = new Symbol(0, Symbol.Place(at), Symbol.Place(at + length));
            bool known = Vocabulary.TryIdOf(word.Slice(at, length), out int id) && !refused.Contains(id, character.Start, character.End);
            if (known) symbols.Add(character with { Id = id });
            else if (!AddBytes(word.Slice(at, length), character, symbols)
                && _unknown is { } unknown && !(afterUnknown && Options.FuseUnknown))
                symbols.Add(character with { Id = unknown });
            afterUnknown = !known && symbols.Count > 0 && symbols[^1].Id == _unknown;
        }
        return symbols;
    }

    private bool AddBytes(ReadOnlySpan<char> character, Symbol place, List<Symbol> symbols)
    {
        if (_byteTokens is null) return false;
        Span<byte> bytes = stackalloc byte[4];
        bytes = bytes[..Encoding.UTF8.GetBytes(character, bytes)];
        foreach (byte b in bytes)
            if (_byteTokens[b] < 0) return false;
        for (int i = 0; i < bytes.Length; i++)
        {
            int end = i + 1 < bytes.Length ? place.Start + i + 1 : place.End;
            symbols.Add(new Symbol(_byteTokens[bytes[i]], place.Start + i, end, IsByte: true));
        }
        return true;
    }

    private static int[] ByteTokens(Vocabulary vocabulary) => [.. Enumerable.Range(0, 256)
        .Select(b => vocabulary.TryIdOf(string.Create(CultureInfo.InvariantCulture, $"<0x{b:X2}>"), out int id) ? id : -1)];
}

/// <summary>
/// A token over a stretch of a word. Places count four to a UTF-16 unit, so that the bytes of a character have their own.
/// </summary>
/// <param name="IsByte">Stands for one byte of a character that has no token: never forbidden.</param>
internal readonly record struct Symbol(int Id, int Start, int End, bool IsByte = false)
{
    public static int Place(int unit) => unit * 4;
}

/// <summary>The stretches of one word over which a forbidden token was left, and must not be made again.</summary>
internal sealed class RefusedStretches
{
    // Rounds are few: each refuses every forbidden token left by the one before. Past these, none may even be passed through.
    private const int MostRounds = 8;
    private HashSet<(int Start, int End)>? _stretches;
    private IReadOnlySet<int>? _all;
    private int _rounds;

    public bool Contains(int id, int start, int end) =>
        _stretches is not null && (_stretches.Contains((start, end)) || (_all is not null && _all.Contains(id)));

    /// <summary>Refuses the forbidden tokens among these; false where there is none.</summary>
    public bool AddStanding(IEnumerable<Symbol> symbols, IReadOnlySet<int> forbidden)
    {
        if (forbidden.Count == 0) return false;
        bool any = false;
        foreach (var symbol in symbols)
            if (!symbol.IsByte && forbidden.Contains(symbol.Id)) any |= (_stretches ??= []).Add((symbol.Start, symbol.End));
        if (++_rounds >= MostRounds) _all = forbidden;
        return any;
    }
}

/// <summary>Merges the symbols of one word: a queue by (rank, position) over a linked list, O(n log n) for n symbols.</summary>
internal static class PairMerger
{
    /// <summary>The merged symbols. <paramref name="symbols"/> is used up.</summary>
    public static List<Symbol> Merge(List<Symbol> symbols, MergeTable merges, RefusedStretches refused)
    {
        if (symbols.Count < 2) return symbols;
        var links = new Links(symbols);
        var queue = new PriorityQueue<Candidate, (int Rank, int Position)>();
        for (int at = 0; at < symbols.Count - 1; at++) Offer(at);
        while (queue.TryDequeue(out var candidate, out _))
        {
            int left = candidate.Position, right = links.Next(left);
            // The symbols may have changed since the pair was queued: then it merges only if the outcome is still the same.
            if (links.IsGone(left) || right < 0 || Allowed(left, right) is not { } merge || merge.Id != candidate.Id) continue;
            symbols[left] = new Symbol(candidate.Id, symbols[left].Start, symbols[right].End);
            links.Remove(right);
            if (links.Previous(left) is >= 0 and var before) Offer(before);
            Offer(left);
        }
        return links.Remaining();

        void Offer(int at)
        {
            if (links.Next(at) is >= 0 and var next && Allowed(at, next) is { } merge)
                queue.Enqueue(new Candidate(at, merge.Id), (merge.Rank, at));
        }

        Merge? Allowed(int at, int next) =>
            merges.TryGet(symbols[at].Id, symbols[next].Id, out var merge)
            && !refused.Contains(merge.Id, symbols[at].Start, symbols[next].End)
                ? merge
                : null;
    }

    private readonly record struct Candidate(int Position, int Id);

    /// <summary>A doubly linked list over the positions of a word.</summary>
    private sealed class Links
    {
        private const int Gone = -2;
        private readonly List<Symbol> _symbols;
        private readonly int[] _next;
        private readonly int[] _previous;

        public Links(List<Symbol> symbols)
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

        public List<Symbol> Remaining()
        {
            var remaining = new List<Symbol>();
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
