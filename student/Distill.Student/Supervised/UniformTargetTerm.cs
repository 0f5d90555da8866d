namespace Distill.Student.Supervised;

/// <summary>
/// Cross-entropy of the uniform distribution, the mean of −log p over the vocabulary: what label smoothing mixes into the target (Szegedy et al.
/// 2016, arXiv 1512.00567).
/// </summary>
public sealed class UniformTargetTerm : IRowTerm
{
    public RowSlopes Of(in RowNumbers row) => new(row.LogTotal - row.MeanLogit, Probability: 1, Uniform: -1);
}
