using System.Numerics;
using System.Runtime.Intrinsics;
using Distill.Data.Problems;

namespace Distill.Data.Sources.Selection;

/// <summary>
/// Finds questions that say nearly the same: by MinHash signatures of their three-word shingles (Broder 1997), banded so that only likely
/// pairs are looked at (Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, section 3.4), each then compared by its shingles
/// themselves. Of pairs at the threshold 99 in 100 are found, of nearer ones more. Held-out questions come first, and of many alike the
/// likeliest are compared: the like of a held-out question is found among any number of others. Not thread-safe.
/// </summary>
/// <param name="threshold">Jaccard similarity of the shingles, above 0 and below 1.</param>
/// <param name="capacity">How many questions will be added at most; 120 bytes each.</param>
/// <param name="textOf">The text of what was added under a number.</param>
internal sealed class NearDuplicates(double threshold, int capacity, Func<int, string> textOf)
{
    public const int ShingleWords = 3;

    private const int Bands = 16, MostRows = 6, MostCandidates = 256, MostComparisons = 256;

    // So many rows to a band that a pair at the threshold shares one of the bands with a chance of 99 %: 1 - (1 - t^r)^16.
    private readonly int rows = Math.Clamp((int)Math.Floor(Math.Log(0.25) / Math.Log(threshold)), 1, MostRows);
    private readonly Index heldOut = new(capacity), training = new(capacity);
    private readonly List<ulong> shingles = [];
    private readonly List<ulong> others = [];
    private readonly uint[] minima = new uint[Bands * MostRows];
    private readonly byte[] sketch = new byte[Bands * MostRows];
    private readonly uint[] keys = new uint[Bands];
    private readonly HashSet<int> seen = [];
    private readonly List<(int At, int Equal)> likely = [];

    /// <summary>
    /// The most similar of what was added, at or above the threshold; one of those for which a condition holds. A held-out question, where
    /// there is one.
    /// </summary>
    public (int Number, double Similarity)? Find(string text, Func<int, bool> counts)
    {
        QuestionWords.Runs(text, ShingleWords, symbols: true, shorter: true, shingles);
        if (shingles.Count == 0) return null;
        Sketch();
        return Best(heldOut, int.MaxValue, MostComparisons, counts) ?? Best(training, MostCandidates, int.MaxValue, counts);
    }

    /// <summary>Adds the text that was looked for last.</summary>
    public void AddLast(int number, bool isHeldOut = false)
    {
        if (shingles.Count > 0) (isHeldOut ? heldOut : training).Add(number, sketch, keys);
    }

    private (int Number, double Similarity)? Best(Index index, int mostCandidates, int mostComparisons, Func<int, bool> counts)
    {
        seen.Clear();
        likely.Clear();
        for (int band = 0; band < Bands; band++)
        {
            int looked = 0;
            for (int at = index.First(band, keys[band]); at >= 0 && looked < mostCandidates; at = index.Next(at, band), looked++)
            {
                if (!seen.Add(at) || !counts(index.Number(at))) continue;
                int equal = index.Equal(at, sketch);
                if ((double)equal / sketch.Length >= threshold - 0.2) likely.Add((at, equal));
            }
        }

        if (likely.Count > mostComparisons) likely.Sort((one, other) => (other.Equal, one.At).CompareTo((one.Equal, other.At)));
        (int Number, double Similarity)? best = null;
        foreach (var (at, _) in likely.Take(mostComparisons))
        {
            double similarity = Similarity(textOf(index.Number(at)));
            if (similarity >= threshold && similarity > (best?.Similarity ?? 0)) best = (index.Number(at), similarity);
        }

        return best;
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

        for (int i = 0; i < minima.Length; i++) sketch[i] = (byte)minima[i];
        for (int band = 0; band < Bands; band++) keys[band] = Key(band);
    }

    private uint Key(int band)
    {
        ulong key = (ulong)band;
        for (int row = 0; row < rows; row++) key = StableHash.Mix(key ^ minima[(band * MostRows) + row]) + 0x9E3779B97F4A7C15;
        return (uint)StableHash.Mix(key);
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

    /// <summary>Sketches in chains, one for each band and key, the newest first.</summary>
    private sealed class Index(int capacity)
    {
        private readonly List<int[]> next = [];
        private readonly List<byte[]> sketches = [];
        private readonly List<int> numbers = [];
        private int[] heads = [];

        public int First(int band, uint key) => heads.Length == 0 ? -1 : heads[Place(band, key)];

        public int Next(int at, int band) => next[at][band];

        public int Number(int at) => numbers[at];

        public void Add(int number, byte[] sketch, uint[] keys)
        {
            if (heads.Length == 0) heads = NewHeads();
            int at = numbers.Count;
            numbers.Add(number);
            sketches.Add([.. sketch]);
            var links = new int[Bands];
            for (int band = 0; band < Bands; band++)
            {
                ref int head = ref heads[Place(band, keys[band])];
                (links[band], head) = (head, at);
            }

            next.Add(links);
        }

        /// <summary>Places at which a sketch equals another.</summary>
        public int Equal(int at, byte[] other)
        {
            byte[] sketch = sketches[at];
            int equal = 0;
            for (int i = 0; i < sketch.Length; i += Vector128<byte>.Count)
            {
                var same = Vector128.Equals(Vector128.Create(sketch.AsSpan(i)), Vector128.Create(other.AsSpan(i)));
                equal += BitOperations.PopCount(same.ExtractMostSignificantBits());
            }

            return equal;
        }

        // Each band has its own part: a chain that another band's led into would never end.
        private int Place(int band, uint key)
        {
            int size = heads.Length / Bands;
            return (band * size) + (int)(key & (uint)(size - 1));
        }

        private int[] NewHeads()
        {
            var fresh = new int[Bands * BitOperations.RoundUpToPowerOf2((uint)Math.Clamp(capacity, 64, 1 << 22))];
            Array.Fill(fresh, -1);
            return fresh;
        }
    }
}
