using System.Numerics.Tensors;

namespace Distill.Generation;

/// <summary>
/// Log-probabilities of a sequence's own tokens, gathered part by part while it is read, so that length × vocabulary is never held.
/// </summary>
internal sealed class SequenceScoring
{
    // Scoring needs the logits of every position of a part at once: at most 64 MiB. Shorter parts would wait for weights.
    private const int LongestPart = 512, ShortestPart = 16, MostLogits = 16 << 20;

    // Fewer numbers are gone through faster than threads are woken.
    private const int LeastForThreads = 1 << 20;

    private readonly int[] tokens;
    private readonly int vocabularySize;
    private readonly double[] logProbabilities; // [tokens − 1]
    private readonly int top;
    private readonly int[] topIds;      // [(tokens − 1) × top]
    private readonly float[] topValues; // [(tokens − 1) × top]
    private float[] logits = [];

    public SequenceScoring(int[] tokens, int top, int vocabularySize)
    {
        this.tokens = tokens;
        this.vocabularySize = vocabularySize;
        this.top = Math.Min(top, vocabularySize);
        logProbabilities = new double[tokens.Length - 1];
        topIds = new int[logProbabilities.Length * this.top];
        topValues = new float[topIds.Length];
    }

    /// <summary>Tokens to read at once: whoever scores the same sequence reads the same parts, and gets equal logits bit by bit.</summary>
    public static int PartLength(int vocabularySize) => Math.Clamp(MostLogits / vocabularySize, ShortestPart, LongestPart);

    /// <summary>Appends a part to a slot that holds those before it, and takes what it says of the tokens that follow.</summary>
    /// <param name="start">Position of the part's first token.</param>
    /// <returns>Logits of the last position, [vocab]; valid until the next part.</returns>
    /// <exception cref="InvalidDataException">The logits are not finite.</exception>
    /// <exception cref="NotSupportedException">The graph gives the last position only; nothing was read.</exception>
    public ReadOnlySpan<float> Read(IDecodeSession session, int slot, int start, int length)
    {
        ReadOnlySpan<float> rows = Logits(session, slot, tokens.AsSpan(start, length)); // row i speaks of token start + i + 1
        Add(start, rows, Math.Min(length, logProbabilities.Length - start));
        return rows[^vocabularySize..];
    }

    /// <summary>As above by a session that scores; the last position's logits stay with it.</summary>
    public void Read(ISamplingSession session, int slot, int start, int length)
    {
        int known = Math.Min(length, logProbabilities.Length - start); // nothing follows the last token
        session.Score(slot, tokens.AsSpan(start, length), tokens.AsSpan(start + 1, known), new FollowingScores(
            logProbabilities.AsMemory(start, known), top, topIds.AsMemory(start * top, known * top),
            topValues.AsMemory(start * top, known * top)));
    }

    public TokenScores ToScores() => new(logProbabilities, top == 0 ? null : new TopLogProbabilities(top, topIds, topValues, []));

    /// <returns>[part, vocab], where the session has them or copied.</returns>
    private ReadOnlySpan<float> Logits(IDecodeSession session, int slot, ReadOnlySpan<int> part)
    {
        if (session is IPromptSession inPlace && part.Length <= inPlace.MostPositions) return inPlace.Prefill(slot, part);
        int size = part.Length * vocabularySize;
        if (logits.Length < size) logits = new float[size];
        session.Prefill(slot, part, logits.AsSpan(0, size));
        return logits.AsSpan(0, size);
    }

    /// <summary>Takes what the first rows say; all cores share them.</summary>
    private unsafe void Add(int start, ReadOnlySpan<float> rows, int count)
    {
        int threads = (long)count * vocabularySize < LeastForThreads ? 1 : Math.Min(Environment.ProcessorCount, count);
        fixed (float* pointer = rows)
        {
            nint first = (nint)pointer;
            void Share(int thread)
            {
                var topTokens = new TopTokens();
                for (int row = count * thread / threads; row < count * (thread + 1) / threads; row++)
                    Add(start + row, new ReadOnlySpan<float>((float*)first + ((long)row * vocabularySize), vocabularySize), topTokens);
            }

            try
            {
                if (threads <= 1) Share(0);
                else Parallel.For(0, threads, Share);
            }
            catch (AggregateException several) when (several.InnerExceptions.OfType<InvalidDataException>().FirstOrDefault() is { } fault)
            {
                throw new InvalidDataException(fault.Message, fault);
            }
        }
    }

    private void Add(int position, ReadOnlySpan<float> row, TopTokens topTokens)
    {
        double normalizer = LogSoftmax.Normalizer(row);
        logProbabilities[position] = row[tokens[position + 1]] - normalizer;
        if (top == 0) return;
        Span<int> ids = topIds.AsSpan(position * top, top);
        topTokens.Ids(topTokens.Select(row, top)).CopyTo(ids);
        for (int rank = 0; rank < top; rank++) topValues[(position * top) + rank] = (float)(row[ids[rank]] - normalizer);
    }
}

/// <summary>log Σ exp in double: float sums over a large vocabulary lose the digits by which two systems are compared.</summary>
internal static class LogSoftmax
{
    private const int Block = 1024;

    /// <param name="logits">[vocab]</param>
    /// <returns>What is subtracted from a logit to make it a log-probability.</returns>
    /// <exception cref="InvalidDataException">The logits are not finite.</exception>
    public static double Normalizer(ReadOnlySpan<float> logits)
    {
        float max = TensorPrimitives.Max(logits);
        if (!float.IsFinite(max)) throw NotFinite(max);
        Span<double> work = stackalloc double[Block];
        double total = 0;
        for (int start = 0; start < logits.Length; start += Block)
        {
            var part = logits.Slice(start, Math.Min(Block, logits.Length - start));
            var values = work[..part.Length];
            TensorPrimitives.ConvertTruncating(part, values);
            TensorPrimitives.Subtract(values, max, values);
            TensorPrimitives.Exp<double>(values, values);
            total += TensorPrimitives.Sum<double>(values);
        }

        return max + Math.Log(total);
    }

    internal static InvalidDataException NotFinite(float largest) =>
        new($"The model's logits are not finite (largest: {largest}): its weights are broken or it overflowed.");
}
