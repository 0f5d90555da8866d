namespace Distill.Data.Sources.Selection;

/// <summary>
/// Runs of words that some questions have, to find others that share one and must not. A run that many of the others have is the source's
/// way of asking and says nothing (as in Brown et al. 2020, appendix C, with a smaller count). Not thread-safe.
/// </summary>
/// <param name="words">Words in a row that count as shared.</param>
internal sealed class SharedPhrases(int words)
{
    /// <summary>A run in more of the other questions than this is phrasing.</summary>
    public const int MostCommon = 5;

    private readonly Dictionary<ulong, Phrase> phrases = [];
    private readonly List<ulong> hashes = [];

    private sealed class Phrase(int owner)
    {
        public int Owner { get; } = owner;

        public int Seen { get; set; }
    }

    /// <summary>Notes a question to hold others against; the first that has a run is the one that is named.</summary>
    public void Hold(string text, int number)
    {
        QuestionWords.Runs(text, words, symbols: false, shorter: false, hashes);
        foreach (ulong hash in hashes) phrases.TryAdd(hash, new Phrase(number));
    }

    /// <summary>Counts one of the others; all of them, before the first is asked about.</summary>
    public void Count(string text)
    {
        QuestionWords.Runs(text, words, symbols: false, shorter: false, hashes);
        foreach (ulong hash in new HashSet<ulong>(hashes))
        {
            if (phrases.TryGetValue(hash, out var phrase)) phrase.Seen++;
        }
    }

    /// <returns>The noted question that shares a run with this one; null where none does.</returns>
    public int? Find(string text)
    {
        QuestionWords.Runs(text, words, symbols: false, shorter: false, hashes);
        foreach (ulong hash in hashes)
        {
            if (phrases.TryGetValue(hash, out var phrase) && phrase.Seen <= MostCommon) return phrase.Owner;
        }

        return null;
    }
}
