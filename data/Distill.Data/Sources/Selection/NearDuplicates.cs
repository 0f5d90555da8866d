using System.Numerics;
using Distill.Data.Problems;

namespace Distill.Data.Sources.Selection;

/// <summary>
/// Finds questions that say nearly the same: by MinHash signatures of their three-word shingles (Broder 1997), banded so that only likely
/// pairs are looked at (Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, section 3.4), each then compared by its shingles
/// themselves. Of pairs at the threshold 99 in 100 are found, of nearer ones more. Not thread-safe.
/// </summary>
/// <param name="threshold">Jaccard similarity of the shingles, above 0 and below 1.</param>
/// <param name="capacity">How many questions will be added at most; 120 bytes each.</param>
/// <param name="textOf">The text of what was added under a number.</param>
internal sealed class NearDuplicates(double threshold, int capacity, Func<int, string> textOf)
{
    public const int ShingleWords = 3;

    private const int Bands = 16, MostRows = 6, MostCandidates = 256;

    // So many rows to a band that a pair at the threshold shares one of the bands with a chance of 99 %: 1 - (1 - t^r)^16.
    private readonly int rows = Math.Clamp((int)Math.Floor(Math.Log(0.25) / Math.Log(threshold)), 1, MostRows);
    private readonly int[] heads = NewHeads(capacity);
    private readonly List<int[]> next = [];
    private readonly List<byte[]> sketches = [];
    private readonly List<int> numbers = [];
    private readonly List<ulong> shingles = [];
    private readonly List<ulong> others = [];
    private readonly uint[] minima = new uint[Bands * MostRows];
    private readonly HashSet<int> seen = [];

    /// <summary>The most similar of what was added, at or above the threshold; one of those for which a condition holds.</summary>
    public (int Number, double Similarity)? Find(string text, Func<int, bool> counts)
    {
        QuestionWords.Runs(text, ShingleWords, symbols: true, shorter: true, shingles);
        if (shingles.Count == 0) return null;
        Sketch();
        seen.Clear();
        (int Number, double Similarity)? best = null;
        for (int band = 0; band < Bands; band++)
        {
            int looked = 0;
            for (int at = heads[Bucket(band)]; at >= 0 && looked < MostCandidates; at = next[at][band], looked++)
            {
                if (!seen.Add(at) || !counts(numbers[at]) || Estimate(at) < threshold - 0.2) continue;
                double similarity = Similarity(textOf(numbers[at]));
                if (similarity >= threshold && similarity > (best?.Similarity ?? 0)) best = (numbers[at], similarity);
            }
        }

        return best;
    }

    /// <summary>Adds the text that was looked for last.</summary>
    public void AddLast(int number)
    {
        if (shingles.Count == 0) return;
        int at = numbers.Count;
        numbers.Add(number);
        sketches.Add([.. minima.Select(minimum => (byte)minimum)]);
        var links = new int[Bands];
        for (int band = 0; band < Bands; band++)
        {
            ref int head = ref heads[Bucket(band)];
            (links[band], head) = (head, at);
        }

        next.Add(links);
    }

    private static int[] NewHeads(int capacity)
    {
        var heads = new int[BitOperations.RoundUpToPowerOf2((uint)Math.Clamp((long)capacity * Bands, 1024, 1 << 26))];
        Array.Fill(heads, -1);
        return heads;
    }

    // 96 hash functions from one: a multiplication by odd numbers, the upper half of the product.
    private void Sketch()
    {
        Array.Fill(minima, uint.MaxValue);
        foreach (ulong shingle in shingles)
        {
            ulong multiplier = 0x9E3779B97F4A7C15;
            for (int i = 0; i < minima.Length; i++)
            {
                uint hash = (uint)((shingle * multiplier) >> 32);
                if (hash < minima[i]) minima[i] = hash;
                multiplier = (multiplier * 6364136223846793005) + 2; // stays odd
            }
        }
    }

    private int Bucket(int band)
    {
        ulong key = (ulong)band;
        for (int row = 0; row < rows; row++) key = StableHash.Mix(key ^ minima[(band * MostRows) + row]) + 0x9E3779B97F4A7C15;
        return (int)(StableHash.Mix(key) & (ulong)(heads.Length - 1));
    }

    private double Estimate(int at)
    {
        byte[] sketch = sketches[at];
        int equal = 0;
        for (int i = 0; i < sketch.Length; i++) equal += sketch[i] == (byte)minima[i] ? 1 : 0;
        return (double)equal / sketch.Length;
    }

    private double Similarity(string other)
    {
        QuestionWords.Runs(other, ShingleWords, symbols: true, shorter: true, others);
        var mine = new HashSet<ulong>(shingles);
        int union = mine.Count, both = 0;
        foreach (ulong shingle in new HashSet<ulong>(others))
        {
            if (mine.Contains(shingle)) both++;
            else union++;
        }

        return union == 0 ? 0 : (double)both / union;
    }
}
