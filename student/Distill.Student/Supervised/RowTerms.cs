namespace Distill.Student.Supervised;

/// <summary>
/// A part of a supervised loss that follows from a few numbers of each predicted distribution: any number of them costs one pass over the
/// vocabulary. Immutable, thread-safe.
/// </summary>
internal interface IRowTerm
{
    RowSlopes Of(in RowNumbers row);
}

/// <summary>What the terms know of one predicted distribution p and the token that is learned from it.</summary>
/// <param name="LogTotal">log Σ exp(logit).</param>
/// <param name="MeanLogit">Over the vocabulary.</param>
/// <param name="LogProbability">log p of the learned token.</param>
/// <param name="Entropy">In nats.</param>
internal readonly record struct RowNumbers(double LogTotal, double MeanLogit, double LogProbability, double Entropy);

/// <summary>
/// A term's value and its derivative by logit i: Probability·p(i) + Logarithm·p(i)·log p(i) + Target·[i is learned] + Uniform/vocabulary.
/// </summary>
internal readonly record struct RowSlopes(double Value, double Probability, double Logarithm = 0, double Target = 0, double Uniform = 0)
{
    public static RowSlopes operator +(RowSlopes one, RowSlopes other) => new(
        one.Value + other.Value, one.Probability + other.Probability, one.Logarithm + other.Logarithm, one.Target + other.Target,
        one.Uniform + other.Uniform);

    public static RowSlopes operator *(double factor, RowSlopes slopes) => new(
        factor * slopes.Value, factor * slopes.Probability, factor * slopes.Logarithm, factor * slopes.Target, factor * slopes.Uniform);
}

/// <summary>−log p of the learned token: cross-entropy.</summary>
internal sealed class TargetTerm : IRowTerm
{
    public RowSlopes Of(in RowNumbers row) => new(-row.LogProbability, Probability: 1, Target: -1);
}

/// <summary>
/// −log p of the learned token, weighted by that p held fixed: tokens that the student would never say no longer rule the gradient, which
/// for plain cross-entropy grows as 1/p (DFT, Wu et al. 2025, arXiv 2508.05629).
/// </summary>
internal sealed class RectifiedTargetTerm : IRowTerm
{
    public RowSlopes Of(in RowNumbers row)
    {
        double weight = Math.Exp(row.LogProbability);
        return new RowSlopes(-weight * row.LogProbability, Probability: weight, Target: -weight);
    }
}

/// <summary>
/// Cross-entropy of the uniform distribution, the mean of −log p over the vocabulary: what label smoothing mixes into the target (Szegedy
/// et al. 2016, arXiv 1512.00567).
/// </summary>
internal sealed class UniformTargetTerm : IRowTerm
{
    public RowSlopes Of(in RowNumbers row) => new(row.LogTotal - row.MeanLogit, Probability: 1, Uniform: -1);
}

/// <summary>
/// (log Σ exp(logit))²: softmax leaves the level of the logits free, and this keeps it near 0, where low precision rounds least (z-loss,
/// PaLM, Chowdhery et al. 2022, arXiv 2204.02311).
/// </summary>
internal sealed class PartitionTerm : IRowTerm
{
    public RowSlopes Of(in RowNumbers row) => new(row.LogTotal * row.LogTotal, Probability: 2 * row.LogTotal);
}

/// <summary>
/// The entropy of the predicted distribution. With a negative weight it is a confidence penalty, which keeps a student from being surer
/// than its examples warrant (Pereyra et al. 2017, arXiv 1701.06548).
/// </summary>
internal sealed class EntropyTerm : IRowTerm
{
    public RowSlopes Of(in RowNumbers row) => new(row.Entropy, Probability: -row.Entropy, Logarithm: -1);
}
