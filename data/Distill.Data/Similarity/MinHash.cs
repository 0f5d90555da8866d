namespace Distill.Data.Similarity;

/// <summary>
/// A sketch of a text from which its resemblance to another (the share of word runs that both have, Jaccard) is estimated: MinHash (Broder,
/// 1997) keeping one byte of each minimum (Li and König, 2010). 128 bytes; the estimate's standard error is at most 0.045. Immutable.
/// </summary>
internal sealed class MinHash
{
    private const int Hashes = 128;

    // By chance alone two different minima agree in their byte so often.
    private const double Chance = 1.0 / 256;

    private static readonly (ulong[] Factors, ulong[] Terms) Families = Draw();

    private readonly byte[] minima;

    private MinHash(byte[] minima, bool isEmpty) => (this.minima, IsEmpty) = (minima, isEmpty);

    /// <summary>Whether the text has no word. Such a text resembles only another of its kind.</summary>
    public bool IsEmpty { get; }

    /// <param name="shingle">Words of a run; texts with fewer are one run.</param>
    public static MinHash Of(string text, int shingle = 3)
    {
        var words = WordHashes.Of(text);
        ulong[] least = new ulong[Hashes];
        least.AsSpan().Fill(ulong.MaxValue);
        var (factors, terms) = Families;
        foreach (ulong gram in WordHashes.Grams(words, shingle))
        {
            for (int i = 0; i < Hashes; i++)
            {
                ulong hash = (gram * factors[i]) + terms[i];
                if (hash < least[i]) least[i] = hash;
            }
        }

        return new MinHash([.. least.Select(value => (byte)Problems.StableHash.Mix(value))], words.Length == 0);
    }

    /// <returns>0 to 1.</returns>
    public double ResemblanceTo(MinHash other)
    {
        if (IsEmpty || other.IsEmpty) return IsEmpty && other.IsEmpty ? 1 : 0;
        int equal = 0;
        for (int i = 0; i < Hashes; i++) equal += minima[i] == other.minima[i] ? 1 : 0;
        return Math.Clamp((((double)equal / Hashes) - Chance) / (1 - Chance), 0, 1);
    }

    private static (ulong[] Factors, ulong[] Terms) Draw()
    {
        var random = new Problems.RandomSource("minhash", "families", 1, 0);
        ulong[] draw() => [.. Enumerable.Range(0, Hashes).Select(_ => random.Next())];
        return ([.. draw().Select(factor => factor | 1)], draw());
    }
}
