namespace Distill.Data.Similarity;

/// <summary>
/// Runs of words of some texts, to find out whether another text has one of them: how test problems are found in what is trained on
/// (13 words by Brown et al., 2020; 8 are usual for short problems). Immutable and thread-safe.
/// </summary>
internal sealed class GramIndex
{
    private readonly HashSet<ulong> grams = [];
    private readonly int length;

    /// <param name="length">Words of a run. A text with fewer is found only where another is the same from first word to last.</param>
    public GramIndex(IEnumerable<string> texts, int length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        this.length = length;
        foreach (string text in texts) grams.UnionWith(WordHashes.Grams(WordHashes.Of(text), length));
    }

    public bool Meets(string text) => WordHashes.Grams(WordHashes.Of(text), length).Any(grams.Contains);
}
