using System.Numerics.Tensors;

namespace Distill.Generation;

/// <summary>
/// Logit bias, penalties and truncating filters over scores, [vocab]; removed tokens become −∞. Definitions as in transformers'
/// logits processors. Where equal scores straddle a top-p border the lowest ids stay.
/// </summary>
internal sealed class DistributionFilters(int vocabularySize)
{
    private readonly bool[] seen = new bool[vocabularySize];
    private readonly float[] work = new float[vocabularySize];
    private readonly int[] counts = new int[vocabularySize]; // all 0 between calls
    private readonly ulong[] ranked = new ulong[vocabularySize];

    /// <summary>Once per distinct id: negative scores × penalty, others ÷ penalty.</summary>
    public void Penalize(Span<float> scores, ReadOnlySpan<int> history, float penalty)
    {
        foreach (int token in history)
        {
            if (seen[token]) continue;
            seen[token] = true;
            scores[token] = scores[token] < 0 ? scores[token] * penalty : scores[token] / penalty;
        }

        foreach (int token in history) seen[token] = false;
    }

    /// <summary>Subtracts from the score of every token of a completion: its count × frequency + presence.</summary>
    public void Discount(Span<float> scores, ReadOnlySpan<int> completion, SamplingOptions options)
    {
        foreach (int token in completion) counts[token]++;
        foreach (int token in completion)
        {
            if (counts[token] == 0) continue;
            scores[token] -= DiscountOf(options, counts[token]);
            counts[token] = 0;
        }
    }

    /// <summary>What a token loses that a completion has so many times.</summary>
    public static float DiscountOf(SamplingOptions options, int count) =>
        (float)((count * options.FrequencyPenalty) + options.PresencePenalty);

    public static void AddBias(Span<float> scores, IReadOnlyDictionary<int, float> bias)
    {
        foreach (var (token, value) in bias) scores[token] += value;
    }

    /// <summary>Keeps the tokens of a set: bit id % 64 of word id / 64.</summary>
    public static void Keep(Span<float> scores, ReadOnlySpan<ulong> allowed)
    {
        for (int start = 0; start < scores.Length; start += 64)
        {
            ulong word = start / 64 < allowed.Length ? allowed[start / 64] : 0;
            if (word == ulong.MaxValue) continue;
            Span<float> block = scores.Slice(start, Math.Min(64, scores.Length - start));
            if (word == 0) block.Fill(float.NegativeInfinity);
            else
            {
                for (int i = 0; i < block.Length; i++)
                {
                    if ((word >> i & 1) == 0) block[i] = float.NegativeInfinity;
                }
            }
        }
    }

    public void KeepTopK(Span<float> scores, int k)
    {
        if (k >= scores.Length) return;
        scores.CopyTo(work);
        RemoveBelow(scores, LargestAt(work, k - 1));
    }

    /// <summary>Removes the tail whose probability is at most 1 − p; the best token always stays.</summary>
    public void KeepTopP(Span<float> scores, double p)
    {
        float max = TensorPrimitives.Max<float>(scores);
        TensorPrimitives.Subtract(scores, max, work);
        TensorPrimitives.Exp<float>(work, work);
        double total = 0;
        foreach (float weight in work) total += weight;
        double tail = (1 - p) * total;

        // Whatever is at most tail / vocab belongs to the tail for certain: all of it together cannot exceed the tail.
        double certain = tail / scores.Length, removed = 0;
        int count = 0;
        for (int token = 0; token < scores.Length; token++)
        {
            if (work[token] > certain || scores[token] == max) ranked[count++] = Rank(work[token], token);
            else
            {
                removed += work[token];
                scores[token] = float.NegativeInfinity;
            }
        }

        Span<ulong> ascending = ranked.AsSpan(0, count);
        ascending.Sort();
        for (int i = 0; i < count - 1; i++)
        {
            int token = TokenOf(ascending[i]);
            removed += work[token];
            if (removed > tail) return;
            scores[token] = float.NegativeInfinity;
        }
    }

    /// <summary>Keeps tokens of probability ≥ share × the best one's; the scores need no normalising for that.</summary>
    public static void KeepMinP(Span<float> scores, double share) =>
        RemoveBelow(scores, (float)(TensorPrimitives.Max<float>(scores) + Math.Log(share)));

    private static void RemoveBelow(Span<float> scores, float least)
    {
        for (int token = 0; token < scores.Length; token++)
        {
            if (scores[token] < least) scores[token] = float.NegativeInfinity;
        }
    }

    // Weights are never negative, so their bits order as they do; of equal weights the lowest id ranks highest.
    private static ulong Rank(float weight, int token) => ((ulong)BitConverter.SingleToUInt32Bits(weight) << 32) | ~(uint)token;

    private static int TokenOf(ulong rank) => (int)~(uint)rank;

    /// <summary>Value at <paramref name="index"/> in descending order; reorders the span (Hoare's selection).</summary>
    private static float LargestAt(Span<float> values, int index)
    {
        int low = 0, high = values.Length - 1;
        while (low < high)
        {
            float pivot = MedianOfThree(values[low], values[(low + high) / 2], values[high]);
            int left = low, right = high;
            while (left <= right)
            {
                while (values[left] > pivot) left++;
                while (values[right] < pivot) right--;
                if (left > right) break;
                (values[left], values[right]) = (values[right], values[left]);
                left++;
                right--;
            }

            if (index <= right) high = right;
            else if (index >= left) low = left;
            else break;
        }

        return values[index];
    }

    private static float MedianOfThree(float a, float b, float c) => Math.Max(Math.Min(a, b), Math.Min(Math.Max(a, b), c));
}
