using System.Numerics.Tensors;
using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Supervised;

/// <summary>A term of a <see cref="RowLoss"/> and how much it counts.</summary>
internal sealed record WeightedTerm(IRowTerm Term, double Weight);

/// <summary>The weighted sum of terms at every learned token, averaged over the step.</summary>
internal sealed class RowLoss(IReadOnlyList<WeightedTerm> terms, StepAverage average) : IDistributionLoss
{
    private const int Chunk = 256;

    public double Evaluate(TrainingSequence sequence, int position, ReadOnlySpan<float> logits, Span<float> gradient)
    {
        int target = sequence.Tokens[sequence.FirstSupervised + position];
        float largest = TensorPrimitives.Max(logits);
        var (total, product) = Exponentials(logits, largest, gradient);
        double logTotal = largest + Math.Log(total);
        var slopes = SlopesOf<LossNumber>(new(
            new(logTotal), new((double)TensorPrimitives.Sum(logits) / logits.Length), new(logits[target] - logTotal),
            new(Math.Log(total) - (product / total))), new(1 / average.For(sequence.SupervisedCount)));
        Fill(slopes, logits, logTotal, total, gradient);
        gradient[target] += (float)slopes.Target.Value;
        return slopes.Value.Value;
    }

    public ChunkLoss Evaluate(LogitsChunk chunk)
    {
        var row = new RowChunk(chunk);
        return row.Apply(SlopesOf(row.Numbers, average.Of(chunk)));
    }

    private RowSlopes<T> SlopesOf<T>(in RowNumbers<T> row, T share)
        where T : struct, ILossValue<T>
    {
        var slopes = default(RowSlopes<T>);
        foreach (var (term, weight) in terms) slopes += T.Of(weight) * term.Of(row);
        return share * slopes;
    }

    /// <summary>Fills exp(logit − largest).</summary>
    /// <returns>
    /// Their sum, and that of each times its logarithm; a few at a time, so that single precision does not add up over a vocabulary.
    /// </returns>
    private static (double Total, double Product) Exponentials(ReadOnlySpan<float> logits, float largest, Span<float> exponentials)
    {
        Span<float> part = stackalloc float[Chunk];
        var (total, product) = (0.0, 0.0);
        for (int i = 0; i < logits.Length; i += Chunk)
        {
            int count = Math.Min(Chunk, logits.Length - i);
            Span<float> shifted = part[..count], target = exponentials.Slice(i, count);
            TensorPrimitives.Subtract(logits.Slice(i, count), largest, shifted);
            TensorPrimitives.Exp<float>(shifted, target);
            total += TensorPrimitives.Sum<float>(target);
            product += TensorPrimitives.Dot<float>(shifted, target);
        }

        return (total, product);
    }

    // gradient holds exp(logit − largest)
    private static void Fill(
        RowSlopes<LossNumber> slopes, ReadOnlySpan<float> logits, double logTotal, double total, Span<float> gradient)
    {
        if (slopes.Logarithm.Value == 0) TensorPrimitives.Multiply(gradient, (float)(slopes.Probability.Value / total), gradient);
        else
        {
            float probability = (float)(slopes.Probability.Value / total), logarithm = (float)(slopes.Logarithm.Value / total);
            for (int i = 0; i < gradient.Length; i++) gradient[i] *= probability + (logarithm * (float)(logits[i] - logTotal));
        }

        if (slopes.Uniform.Value != 0) TensorPrimitives.Add(gradient, (float)(slopes.Uniform.Value / gradient.Length), gradient);
    }
}

/// <summary>What the tokens' losses of a supervised step are divided by.</summary>
public enum TokenAverage
{
    /// <summary>By the learned tokens of the step: every token counts the same.</summary>
    Token,

    /// <summary>By the learned tokens of their example, then by the examples: long examples count no more than short ones.</summary>
    Sequence,
}

/// <summary>The divisors of one optimiser step, of which a micro-batch is a part: splitting a step changes nothing. Immutable.</summary>
/// <param name="Tokens">Learned tokens of the step.</param>
/// <param name="Sequences">Examples of the step.</param>
internal sealed record StepAverage(TokenAverage Kind, long Tokens, int Sequences)
{
    /// <param name="length">Learned tokens of the example.</param>
    public double For(int length) => Kind == TokenAverage.Token ? Tokens : (double)length * Sequences;

    /// <returns>[rows]: what each token's loss is multiplied by, on the logits' device.</returns>
    public LossColumn Of(LogitsChunk chunk) => Kind == TokenAverage.Token ? LossColumn.Of(1.0 / Tokens)
        : new(tensor(chunk.Rows.Select(row => 1 / For(row.Sequence.SupervisedCount)).ToArray()).to(chunk.Logits.device));
}

/// <summary>
/// −Σ log π(token) / N over the learned tokens. N counts the learned tokens of the whole optimiser step, not of a micro-batch,
/// so that splitting a step changes nothing.
/// </summary>
/// <param name="learnedTokens">N.</param>
internal sealed class CrossEntropy(long learnedTokens) : ITokenLoss
{
    public double Evaluate(TokenBatch batch, ReadOnlySpan<float> logProbabilities, Span<float> derivatives)
    {
        derivatives.Fill(-1f / learnedTokens);
        double sum = 0;
        foreach (float value in logProbabilities) sum -= value;
        return sum / learnedTokens;
    }
}
