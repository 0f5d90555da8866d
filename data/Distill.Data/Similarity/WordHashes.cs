using System.Text;

namespace Distill.Data.Similarity;

/// <summary>
/// A text as the hashes of its words: runs of letters and digits, in lower case; each ideograph or kana is a word of its own, since nothing
/// stands between them. Marks and spaces are no words. The hashes are equal on every machine.
/// </summary>
internal static class WordHashes
{
    private const ulong Offset = 14695981039346656037, Prime = 1099511628211; // FNV-1a, 64 bits

    public static ulong[] Of(string text)
    {
        var words = new List<ulong>(text.Length / 5);
        ulong hash = Offset;
        bool inside = false;
        foreach (var rune in text.EnumerateRunes())
        {
            bool alone = IsAlone(rune.Value);
            bool belongs = !alone && Rune.IsLetterOrDigit(rune);
            if (inside && !belongs)
            {
                words.Add(hash);
                (hash, inside) = (Offset, false);
            }

            if (alone) words.Add((Offset ^ (uint)rune.Value) * Prime);
            if (!belongs) continue;
            hash = (hash ^ (uint)Rune.ToLowerInvariant(rune).Value) * Prime;
            inside = true;
        }

        if (inside) words.Add(hash);
        return [.. words];
    }

    /// <summary>Hash of each run of <paramref name="length"/> words, in order; of all words where there are fewer; none of none.</summary>
    public static IEnumerable<ulong> Grams(IReadOnlyList<ulong> words, int length)
    {
        if (words.Count == 0) yield break;
        for (int start = 0; start <= Math.Max(0, words.Count - length); start++)
        {
            ulong hash = Offset;
            int end = Math.Min(words.Count, start + length);
            for (int i = start; i < end; i++) hash = (hash ^ Problems.StableHash.Mix(words[i])) * Prime;
            yield return Problems.StableHash.Mix(hash + (ulong)(end - start));
        }
    }

    /// <summary>Whether a mark is a word of its own: Han with its extensions, Hiragana and Katakana.</summary>
    public static bool IsAlone(int code) => code is (>= 0x3040 and <= 0x30FF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x4E00 and <= 0x9FFF)
        or (>= 0xF900 and <= 0xFAFF) or (>= 0x20000 and <= 0x323AF);
}
