using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Distill.Generation;

/// <summary>
/// Logits → token. Bias, repetition penalty, frequency and presence penalty, temperature, top-k, top-p, min-p, in that order, as
/// transformers applies those that it has; then the first token, in id order, whose cumulative probability exceeds the uniform number.
/// Owns scratch space for one vocabulary, so a choice allocates nothing; one instance per thread.
/// </summary>
internal sealed class Sampler(int vocabularySize)
{
    // Partial sums keep the scan for the chosen token short and its arithmetic in double.
    private const int Block = 64;

    // What three passes over it find in the first-level cache; a multiple of the block.
    private const int Chunk = 2048;

    private readonly float[] scores = new float[vocabularySize];
    private readonly float[] weights = new float[vocabularySize];
    private readonly double[] blockSums = new double[(vocabularySize + Block - 1) / Block];
    private readonly DistributionFilters filters = new(vocabularySize);
    private readonly TopTokens top = new();

    // Of the last choice: what turns its logits and scores into log-probabilities.
    private double rawNormalizer;
    private double processedNormalizer;
    private bool scored; // the last choice filled scores; otherwise they are the logits

    /// <param name="logits">[vocab], unchanged.</param>
    /// <param name="history">Prompt and completion so far; read only when there is a penalty.</param>
    /// <param name="random">Advanced by one number per sampled token, by none when greedy.</param>
    /// <param name="completionStart">Where in the history the completion begins; what is before it is the prompt.</param>
    /// <exception cref="InvalidDataException">The logits are not finite: the model is broken. Or a bias forbids every token.</exception>
    public TokenChoice Choose(
        ReadOnlySpan<float> logits, SamplingOptions options, ReadOnlySpan<int> history, ref RandomStream random, int completionStart = 0) =>
        Choose(logits, options, history, options.IsGreedy ? 0 : random.NextDouble(), completionStart);

    /// <summary>As above with the uniform number given; ignored when greedy.</summary>
    /// <param name="allowed">Among these tokens only: bit id % 64 of word id / 64, none past the last word. Empty: among all.</param>
    public TokenChoice Choose(
        ReadOnlySpan<float> logits, SamplingOptions options, ReadOnlySpan<int> history, double uniform, int completionStart = 0,
        ReadOnlySpan<ulong> allowed = default)
    {
        rawNormalizer = processedNormalizer = LogNormalizer(logits); // leaves exp(logit − max) in weights and their sums in blockSums
        bool shaped = options.IsGreedy ? ShapesGreedy(options) : !IsRaw(options);
        scored = shaped || !allowed.IsEmpty;
        double keptMass = scored ? Score(logits, options, history, completionStart, allowed) : 1;
        if (options.IsGreedy) return ChooseGreedy(logits);
        int token = Pick(uniform);
        float raw = (float)(logits[token] - rawNormalizer);
        return new TokenChoice(token, raw, scored ? (float)(scores[token] - processedNormalizer) : raw, (float)keptMass);
    }

    /// <summary>Scores after bias, penalty, temperature and filters, [vocab]; removed tokens become −∞.</summary>
    public void Process(ReadOnlySpan<float> logits, SamplingOptions options, ReadOnlySpan<int> history, Span<float> processed)
    {
        Shape(logits, options, history, 0, processed);
        Filter(options, processed);
    }

    /// <summary>
    /// The most probable tokens beside the last choice, with raw and processed log-probabilities; the spans' length is their number, at
    /// most the vocabulary. When it was greedy, only the chosen token was possible.
    /// </summary>
    internal void CopyTop(ReadOnlySpan<float> logits, int? greedyChoice, Span<int> ids, Span<float> raw, Span<float> processed)
    {
        int count = top.Select(logits, ids.Length);
        top.Ids(count).CopyTo(ids);
        for (int i = 0; i < count; i++)
        {
            raw[i] = (float)(logits[ids[i]] - rawNormalizer);
            processed[i] = greedyChoice is { } only ? (ids[i] == only ? 0 : float.NegativeInfinity)
                : scored ? (float)(scores[ids[i]] - processedNormalizer) : raw[i];
        }
    }

    internal static InvalidDataException NotFinite(float largest) => new(
        $"The model's logits are not finite (largest: {largest}): its weights are broken, it overflowed, or a bias or constraint leaves "
            + "no token.");

    private static bool IsRaw(SamplingOptions options) =>
        options is { Temperature: 1, TopK: 0, TopP: 1, MinP: 0 } && !ShapesGreedy(options);

    private static bool ShapesGreedy(SamplingOptions options) =>
        options is not { LogitBias: null, RepetitionPenalty: 1, CountsTokens: false };

    private void Shape(
        ReadOnlySpan<float> logits, SamplingOptions options, ReadOnlySpan<int> history, int completionStart, Span<float> shaped)
    {
        logits.CopyTo(shaped);
        if (options.LogitBias is { } bias) DistributionFilters.AddBias(shaped, bias);
        if (options.RepetitionPenalty != 1) filters.Penalize(shaped, history, (float)options.RepetitionPenalty);
        if (options.CountsTokens) filters.Discount(shaped, history[completionStart..], options);
        if (!options.IsGreedy && options.Temperature != 1) TensorPrimitives.Divide(shaped, (float)options.Temperature, shaped);
    }

    private void Filter(SamplingOptions options, Span<float> shaped)
    {
        if (options.TopK > 0) filters.KeepTopK(shaped, options.TopK);
        if (options.TopP < 1) filters.KeepTopP(shaped, options.TopP);
        if (options.MinP > 0) DistributionFilters.KeepMinP(shaped, options.MinP);
    }

    /// <summary>Fills the scores and their normalizer; gives the probability that the filters left.</summary>
    private double Score(
        ReadOnlySpan<float> logits, SamplingOptions options, ReadOnlySpan<int> history, int completionStart, ReadOnlySpan<ulong> allowed)
    {
        Shape(logits, options, history, completionStart, scores);
        if (!allowed.IsEmpty) DistributionFilters.Keep(scores, allowed);
        bool truncates = !options.IsGreedy && (options.TopK > 0 || options.TopP < 1 || options.MinP > 0);
        double before = truncates ? LogNormalizer(scores) : 0;
        if (truncates) Filter(options, scores);
        processedNormalizer = LogNormalizer(scores);
        return truncates ? Math.Min(1, Math.Exp(processedNormalizer - before)) : 1;
    }

    private TokenChoice ChooseGreedy(ReadOnlySpan<float> logits)
    {
        ReadOnlySpan<float> ranked = scored ? scores : logits;

        int token = FirstOf(ranked, TensorPrimitives.Max(ranked));
        return new TokenChoice(token, (float)(logits[token] - rawNormalizer), 0, (float)Math.Exp(ranked[token] - processedNormalizer));
    }

    /// <summary>Ties go to the lowest id. A search for bits, which is vectorised; the two zeros are one value with two patterns.</summary>
    private static int FirstOf(ReadOnlySpan<float> values, float wanted)
    {
        ReadOnlySpan<int> bits = MemoryMarshal.Cast<float, int>(values);
        if (wanted != 0) return bits.IndexOf(BitConverter.SingleToInt32Bits(wanted));
        return bits.IndexOfAny(0, int.MinValue);
    }

    /// <summary>log Σ exp(values); exp(value − max) stays in <see cref="weights"/>, block totals in <see cref="blockSums"/>.</summary>
    private double LogNormalizer(ReadOnlySpan<float> values)
    {
        float max = TensorPrimitives.Max(values);
        if (!float.IsFinite(max)) throw NotFinite(max);
        double total = 0;
        for (int start = 0; start < values.Length; start += Chunk)
        {
            Span<float> chunk = weights.AsSpan(start, Math.Min(Chunk, values.Length - start));
            TensorPrimitives.Subtract(values.Slice(start, chunk.Length), max, chunk);
            TensorPrimitives.Exp<float>(chunk, chunk);
            for (int at = 0; at < chunk.Length; at += Block)
            {
                double sum = TensorPrimitives.Sum<float>(chunk.Slice(at, Math.Min(Block, chunk.Length - at)));
                blockSums[(start + at) / Block] = sum;
                total += sum;
            }
        }

        return max + Math.Log(total);
    }

    /// <summary>First token in id order whose cumulative weight exceeds uniform × total; never one of weight 0.</summary>
    private int Pick(double uniform)
    {
        double total = 0;
        foreach (double sum in blockSums) total += sum;
        double target = uniform * total, before = 0, cumulative = 0;
        int chosenBlock = 0;
        for (int block = 0; block < blockSums.Length && cumulative <= target; block++)
        {
            if (blockSums[block] == 0) continue;
            chosenBlock = block;
            before = cumulative;
            cumulative += blockSums[block];
        }

        int chosen = 0, end = Math.Min((chosenBlock + 1) * Block, weights.Length);
        for (int token = chosenBlock * Block; token < end && before <= target; token++)
        {
            if (weights[token] == 0) continue;
            chosen = token; // stays when rounding leaves the block's sum just short of the target
            before += weights[token];
        }

        return chosen;
    }
}
