using System.Numerics.Tensors;

namespace Distill.Generation;

/// <summary>
/// Logits → token. Penalty, temperature, top-k, top-p, min-p, in that order, as transformers applies them; then the first token,
/// in id order, whose cumulative probability exceeds the uniform number. Owns scratch space for one vocabulary, so a choice
/// allocates nothing; one instance per thread.
/// </summary>
public sealed class Sampler(int vocabularySize)
{
    // Partial sums keep the scan for the chosen token short and its arithmetic in double.
    private const int Block = 64;

    private readonly float[] scores = new float[vocabularySize];
    private readonly float[] weights = new float[vocabularySize];
    private readonly double[] blockSums = new double[(vocabularySize + Block - 1) / Block];
    private readonly DistributionFilters filters = new(vocabularySize);

    /// <param name="logits">[vocab], unchanged.</param>
    /// <param name="history">Prompt and completion so far; read only when there is a repetition penalty.</param>
    /// <param name="random">Advanced by one number per sampled token, by none when greedy.</param>
    /// <exception cref="InvalidDataException">The logits are not finite: the model is broken.</exception>
    public TokenChoice Choose(ReadOnlySpan<float> logits, SamplingOptions options, ReadOnlySpan<int> history, ref RandomStream random) =>
        options.IsGreedy ? ChooseGreedy(logits, options, history) : Choose(logits, options, history, random.NextDouble());

    /// <summary>As above with the uniform number given; ignored when greedy.</summary>
    public TokenChoice Choose(ReadOnlySpan<float> logits, SamplingOptions options, ReadOnlySpan<int> history, double uniform)
    {
        if (options.IsGreedy) return ChooseGreedy(logits, options, history);
        double logNormalizer = LogNormalizer(logits); // leaves exp(logit - max) in weights and their sums in blockSums
        if (!IsRaw(options))
        {
            Process(logits, options, history, scores);
            LogNormalizer(scores);
        }

        int token = Pick(uniform);
        return new TokenChoice(token, (float)(logits[token] - logNormalizer));
    }

    /// <summary>Scores after penalty, temperature and filters, [vocab]; removed tokens become −∞.</summary>
    public void Process(ReadOnlySpan<float> logits, SamplingOptions options, ReadOnlySpan<int> history, Span<float> processed)
    {
        logits.CopyTo(processed);
        if (options.RepetitionPenalty != 1) filters.Penalize(processed, history, (float)options.RepetitionPenalty);
        if (!options.IsGreedy && options.Temperature != 1) TensorPrimitives.Divide(processed, (float)options.Temperature, processed);
        if (options.TopK > 0) filters.KeepTopK(processed, options.TopK);
        if (options.TopP < 1) filters.KeepTopP(processed, options.TopP);
        if (options.MinP > 0) DistributionFilters.KeepMinP(processed, options.MinP);
    }

    private static bool IsRaw(SamplingOptions options) =>
        options is { Temperature: 1, TopK: 0, TopP: 1, MinP: 0, RepetitionPenalty: 1 };

    private TokenChoice ChooseGreedy(ReadOnlySpan<float> logits, SamplingOptions options, ReadOnlySpan<int> history)
    {
        double logNormalizer = LogNormalizer(logits);
        ReadOnlySpan<float> ranked = logits;
        if (options.RepetitionPenalty != 1)
        {
            logits.CopyTo(scores);
            filters.Penalize(scores, history, (float)options.RepetitionPenalty);
            ranked = scores;
        }

        // Ties go to the lowest id. IndexOf over the bits' values, not IndexOfMax: that one prefers +0 to an earlier −0.
        int token = ranked.IndexOf(TensorPrimitives.Max(ranked));
        return new TokenChoice(token, (float)(logits[token] - logNormalizer));
    }

    /// <summary>log Σ exp(values); exp(value − max) stays in <see cref="weights"/>, block totals in <see cref="blockSums"/>.</summary>
    private double LogNormalizer(ReadOnlySpan<float> values)
    {
        float max = TensorPrimitives.Max(values);
        if (!float.IsFinite(max))
            throw new InvalidDataException($"The model's logits are not finite (largest: {max}): its weights are broken or it overflowed.");
        TensorPrimitives.Subtract(values, max, weights);
        TensorPrimitives.Exp<float>(weights, weights);
        double total = 0;
        for (int block = 0; block < blockSums.Length; block++)
        {
            int start = block * Block;
            double sum = TensorPrimitives.Sum<float>(weights.AsSpan(start, Math.Min(Block, weights.Length - start)));
            blockSums[block] = sum;
            total += sum;
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
