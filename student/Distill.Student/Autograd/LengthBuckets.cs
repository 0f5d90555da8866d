using Distill.Student.Training;

namespace Distill.Student.Autograd;

/// <summary>
/// Sequences of like length side by side, the shorter ones padded at their end. Their tokens lie position by position: token p of sequence i
/// is row Start + p · Count + i. So a head's queries of all sequences are one strided view, and key-value heads are shared by an expanded one.
/// </summary>
/// <param name="Start">First row.</param>
/// <param name="Length">Positions.</param>
/// <param name="Count">Sequences.</param>
internal readonly record struct LengthBucket(int Start, int Length, int Count)
{
    public int Rows => Length * Count;
}

/// <summary>
/// Where the tokens of a micro-batch lie: bucket after bucket. Under causal attention nothing that is learned sees the padding behind it, so
/// no mask is needed. A sequence's last token is not read. Immutable.
/// </summary>
internal sealed class LengthBuckets
{
    private const int LeastUsed = 15, Of = 16; // at most one row in sixteen is padding

    public LengthBuckets(TokenBatch batch)
    {
        var sequences = batch.Sequences;
        int[] order = [.. Enumerable.Range(0, sequences.Count).OrderByDescending(index => Read(sequences[index]))];
        Buckets = Cut([.. order.Select(index => Read(sequences[index]))]);
        Ids = new long[Buckets.Sum(bucket => bucket.Rows)];
        PredictedFrom = new long[batch.Targets.Length];
        int placed = 0;
        foreach (var bucket in Buckets)
            for (int column = 0; column < bucket.Count; column++) Lay(batch, order[placed++], bucket, column);
    }

    public IReadOnlyList<LengthBucket> Buckets { get; }

    /// <summary>[rows]: the tokens; padding repeats the last one of its sequence.</summary>
    public long[] Ids { get; }

    /// <summary>[supervised]: the row whose output predicts each learned token, in the order of the batch.</summary>
    public long[] PredictedFrom { get; }

    /// <summary>Tokens that a pass reads of a sequence.</summary>
    public static int Read(TrainingSequence sequence) => sequence.Tokens.Count - 1;

    /// <summary>Rows that tokens take at most.</summary>
    public static long MostRows(long tokens) => tokens * Of / LeastUsed;

    // As many neighbours of the descending lengths as the bound on padding allows.
    private static List<LengthBucket> Cut(int[] lengths)
    {
        var buckets = new List<LengthBucket>();
        int start = 0;
        for (int first = 0; first < lengths.Length;)
        {
            int end = first;
            for (long used = 0; end < lengths.Length && (used += lengths[end]) * Of >= (long)lengths[first] * (end + 1 - first) * LeastUsed;)
                end++;
            buckets.Add(new LengthBucket(start, lengths[first], end - first));
            start += buckets[^1].Rows;
            first = end;
        }

        return buckets;
    }

    private void Lay(TokenBatch batch, int index, LengthBucket bucket, int column)
    {
        var sequence = batch.Sequences[index];
        int last = Read(sequence) - 1;
        for (int position = 0; position < bucket.Length; position++)
            Ids[bucket.Start + (position * bucket.Count) + column] = sequence.Tokens[Math.Min(position, last)];
        for (int learned = batch.SupervisedStarts[index]; learned < batch.SupervisedStarts[index + 1]; learned++)
        {
            int position = sequence.FirstSupervised - 1 + learned - batch.SupervisedStarts[index];
            PredictedFrom[learned] = bucket.Start + (position * bucket.Count) + column;
        }
    }
}

/// <summary>Cuts the sequences of a pass into micro-batches of like length. Depends on lengths alone. Immutable.</summary>
/// <param name="capacity">Tokens of a micro-batch; a longer sequence is one by itself.</param>
/// <param name="maxPositions">Longest sequence that the model reads.</param>
internal sealed class MicroBatches(int capacity, int maxPositions)
{
    /// <returns>The longest sequences first, so that memory peaks at once.</returns>
    /// <exception cref="ArgumentException">A sequence is longer than the model reads, or supervises nothing.</exception>
    public IReadOnlyList<TokenBatch> Of(IReadOnlyList<TrainingSequence> sequences)
    {
        if (sequences.FirstOrDefault(sequence => sequence.Tokens.Count > maxPositions) is { } tooLong)
            throw new ArgumentException($"A sequence of {tooLong.Tokens.Count} tokens exceeds the {maxPositions} that the model reads.");
        var batches = new List<TokenBatch>();
        var open = new List<TrainingSequence>();
        long tokens = 0;
        foreach (var sequence in sequences.OrderByDescending(sequence => sequence.Tokens.Count))
        {
            if (open.Count > 0 && tokens + LengthBuckets.Read(sequence) > capacity)
            {
                batches.Add(new TokenBatch(open));
                (open, tokens) = ([], 0);
            }

            open.Add(sequence);
            tokens += LengthBuckets.Read(sequence);
        }

        if (open.Count > 0) batches.Add(new TokenBatch(open));
        return batches;
    }
}
