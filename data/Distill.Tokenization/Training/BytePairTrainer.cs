using System.Runtime.InteropServices;
using Distill.Tokenization.Splitting;

namespace Distill.Tokenization.Training;

/// <summary>What a trained tokenizer shall hold. Immutable.</summary>
public sealed record BytePairTrainerOptions
{
    /// <summary>
    /// Entries in all: special tokens, marks, 256 bytes, merges. Fewer come out if the texts have no more frequent pairs.
    /// </summary>
    public required int VocabularySize { get; init; }

    /// <summary>Control tokens; they get the lowest ids, in this order.</summary>
    public IReadOnlyList<string> SpecialTokens { get; init; } = ["<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"];

    /// <summary>Added tokens that stay visible in decoded text; they get the ids after the special tokens.</summary>
    public IReadOnlyList<string> Marks { get; init; } = [ThinkMarks.Open, ThinkMarks.Close];

    /// <summary>One of <see cref="SpecialTokens"/>: ends a message.</summary>
    public string EndToken { get; init; } = "<|end|>";

    /// <summary>One of <see cref="SpecialTokens"/>: fills rows.</summary>
    public string PadToken { get; init; } = "<|pad|>";

    /// <summary>Jinja text stored with the tokenizer.</summary>
    public string ChatTemplate { get; init; } =
        "{% for message in messages %}{{ '<|' + message.role + '|>' + message.content + '<|end|>' }}{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";

    /// <summary>Pairs seen less often than this do not merge.</summary>
    public int MinimumFrequency { get; init; } = 2;

    /// <summary>Longest sequence the model will read; stored for other programs.</summary>
    public int ContextLength { get; init; } = 512;

    /// <exception cref="ArgumentException">The tokens do not fit, repeat, or lack the end or padding token.</exception>
    internal void Validate()
    {
        string[] tokens = [.. SpecialTokens, .. Marks];
        if (tokens.Distinct().Count() != tokens.Length || tokens.Any(t => t.Length < 2))
            throw new ArgumentException("special tokens and marks must be distinct and longer than one character");
        if (!SpecialTokens.Contains(EndToken) || !SpecialTokens.Contains(PadToken))
            throw new ArgumentException($"'{EndToken}' and '{PadToken}' must be special tokens");
        int least = tokens.Length + 256;
        if (VocabularySize < least)
            throw new ArgumentException(
                $"a vocabulary of {VocabularySize} cannot hold added tokens and 256 bytes; at least {least} are needed");
    }
}

/// <summary>
/// Trains a byte-level byte-pair encoding (Sennrich et al. 2016, over bytes as in GPT-2): digits stand alone, words are GPT-2's, and the
/// most frequent pair merges first; of equally frequent ones, that with the lowest ids. Equal texts in any order give equal tokenizers.
/// </summary>
public static class BytePairTrainer
{
    /// <summary>Reads the texts once. Added tokens written in them are cut out first and never merge.</summary>
    /// <exception cref="ArgumentException">The options contradict themselves.</exception>
    public static TrainedTokenizer Train(IEnumerable<string> texts, BytePairTrainerOptions options)
    {
        options.Validate();
        string[] added = [.. options.SpecialTokens, .. options.Marks];
        var pieces = new List<string>([.. added,
            .. Enumerable.Range(0, 256).Select(b => ByteAlphabet.CharacterOf((byte)b).ToString()).Order(StringComparer.Ordinal)]);
        var ids = pieces.Select((piece, id) => (piece, id)).ToDictionary(p => p.piece, p => p.id);
        var merges = new List<(string, string)>();
        var corpus = new PairCorpus(CountWords(texts, added).Select(w => (w.Key.Select(c => ids[c.ToString()]).ToList(), w.Value)));
        while (pieces.Count < options.VocabularySize && corpus.MostFrequent() is { } best && best.Count >= options.MinimumFrequency)
        {
            var (left, right) = best.Pair;
            string piece = pieces[left] + pieces[right];
            merges.Add((pieces[left], pieces[right]));
            if (!ids.TryGetValue(piece, out int id))
            {
                ids.Add(piece, id = pieces.Count);
                pieces.Add(piece);
            }
            corpus.Merge(best.Pair, id);
        }
        return new TrainedTokenizer(pieces, merges, options);
    }

    /// <summary>How often each word occurs, written in the byte alphabet.</summary>
    private static Dictionary<string, long> CountWords(IEnumerable<string> texts, string[] added)
    {
        var splitter = new SequencePreTokenizer([CharacterPreTokenizer.Digits(individual: true),
            new ByteLevelPreTokenizer(addPrefixSpace: false, useRegex: true, mapNow: false)]);
        var counts = new Dictionary<string, long>();
        var words = new List<Piece>();
        foreach (string text in texts.SelectMany(t => t.Split(added, StringSplitOptions.RemoveEmptyEntries)))
        {
            words.Clear();
            splitter.Split(Piece.Of(text, first: true), words);
            foreach (var word in words)
                CollectionsMarshal.GetValueRefOrAddDefault(counts.GetAlternateLookup<ReadOnlySpan<char>>(), word.Span, out _)++;
        }
        return counts.GroupBy(w => ByteLevelPreTokenizer.Map(w.Key)).ToDictionary(g => g.Key, g => g.Sum(w => w.Value));
    }
}

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
