using Distill.Student.Training;

namespace Distill.Student.Supervised;

/// <summary>
/// A part of a supervised loss that follows from a few numbers of each predicted distribution: any number of them costs one pass over the
/// vocabulary. Immutable, thread-safe.
/// </summary>
internal interface IRowTerm
{
    RowSlopes<T> Of<T>(in RowNumbers<T> row)
        where T : struct, ILossValue<T>;
}

/// <summary>What the terms know of one predicted distribution p and the token that is learned from it.</summary>
/// <param name="LogTotal">log Σ exp(logit).</param>
/// <param name="MeanLogit">Over the vocabulary.</param>
/// <param name="LogProbability">log p of the learned token.</param>
/// <param name="Entropy">In nats.</param>
internal readonly record struct RowNumbers<T>(T LogTotal, T MeanLogit, T LogProbability, T Entropy)
    where T : struct, ILossValue<T>;

/// <summary>
/// A term's value and its derivative by logit i: Probability·p(i) + Logarithm·p(i)·log p(i) + Target·[i is learned] + Uniform/vocabulary.
/// </summary>
internal readonly record struct RowSlopes<T>(T Value, T Probability, T Logarithm = default, T Target = default, T Uniform = default)
    where T : struct, ILossValue<T>
{
    public static RowSlopes<T> operator +(RowSlopes<T> one, RowSlopes<T> other) => new(
        one.Value + other.Value, one.Probability + other.Probability, one.Logarithm + other.Logarithm, one.Target + other.Target,
        one.Uniform + other.Uniform);

    public static RowSlopes<T> operator *(T factor, RowSlopes<T> slopes) => new(
        factor * slopes.Value, factor * slopes.Probability, factor * slopes.Logarithm, factor * slopes.Target, factor * slopes.Uniform);
}

/// <summary>−log p of the learned token: cross-entropy.</summary>
internal sealed class TargetTerm : IRowTerm
{
    public RowSlopes<T> Of<T>(in RowNumbers<T> row)
        where T : struct, ILossValue<T> =>
        new(-row.LogProbability, Probability: T.Of(1), Target: T.Of(-1));
}

/// <summary>
/// −log p of the learned token, weighted by that p held fixed: tokens that the student would never say no longer rule the gradient, which
/// for plain cross-entropy grows as 1/p (DFT, Wu et al. 2025, arXiv 2508.05629).
/// </summary>
internal sealed class RectifiedTargetTerm : IRowTerm
{
    public RowSlopes<T> Of<T>(in RowNumbers<T> row)
        where T : struct, ILossValue<T>
    {
        var weight = T.Exp(row.LogProbability);
        return new RowSlopes<T>(-weight * row.LogProbability, Probability: weight, Target: -weight);
    }
}

/// <summary>
/// Cross-entropy of the uniform distribution, the mean of −log p over the vocabulary: what label smoothing mixes into the target (Szegedy
/// et al. 2016, arXiv 1512.00567).
/// </summary>
internal sealed class UniformTargetTerm : IRowTerm
{
    public RowSlopes<T> Of<T>(in RowNumbers<T> row)
        where T : struct, ILossValue<T> =>
        new(row.LogTotal - row.MeanLogit, Probability: T.Of(1), Uniform: T.Of(-1));
}

/// <summary>
/// (log Σ exp(logit))²: softmax leaves the level of the logits free, and this keeps it near 0, where low precision rounds least (z-loss,
/// PaLM, Chowdhery et al. 2022, arXiv 2204.02311).
/// </summary>
internal sealed class PartitionTerm : IRowTerm
{
    public RowSlopes<T> Of<T>(in RowNumbers<T> row)
        where T : struct, ILossValue<T> =>
        new(row.LogTotal * row.LogTotal, Probability: 2 * row.LogTotal);
}

/// <summary>
/// The entropy of the predicted distribution. With a negative weight it is a confidence penalty, which keeps a student from being surer
/// than its examples warrant (Pereyra et al. 2017, arXiv 1701.06548).
/// </summary>
internal sealed class EntropyTerm : IRowTerm
{
    public RowSlopes<T> Of<T>(in RowNumbers<T> row)
        where T : struct, ILossValue<T> =>
        new(row.Entropy, Probability: -row.Entropy, Logarithm: T.Of(-1));
}
