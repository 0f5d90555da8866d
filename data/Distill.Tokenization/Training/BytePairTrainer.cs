using System.Runtime.InteropServices;
using Distill.Tokenization.PreTokenizers;

namespace Distill.Tokenization.Training;

/// <summary>
/// Trains a byte-level byte-pair encoding (Sennrich et al. 2016, over bytes as in GPT-2): digits stand alone, words are GPT-2's, and the
/// most
/// frequent pair merges first; of equally frequent ones, that with the lowest ids. Equal texts in any order give equal tokenizers.
/// </summary>
public static class BytePairTrainer
{
    /// <summary>Reads the texts once. Added tokens written in them are cut out first and never merge.</summary>
    /// <exception cref="ArgumentException">The options contradict themselves.</exception>
    public static TrainedTokenizer Train(IEnumerable<string> texts, BytePairTrainerOptions options)
    {
        options.Validate();
        string[] added = [.. options.SpecialTokens, .. options.Marks];
        var pieces = new List<string>([.. added, .. Enumerable.Range(0,
            256).Select(b => ByteAlphabet.CharacterOf((byte)b).ToString()).Order(StringComparer.Ordinal)]);
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
