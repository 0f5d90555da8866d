namespace Distill.Student.Supervised;

/// <summary>
/// −log p of the learned token, weighted by that p held fixed: tokens that the student would never say no longer rule the gradient, which for
/// plain cross-entropy grows as 1/p (DFT, Wu et al. 2025, arXiv 2508.05629).
/// </summary>
public sealed class RectifiedTargetTerm : IRowTerm
{
    public RowSlopes Of(in RowNumbers row)
    {
        double weight = Math.Exp(row.LogProbability);
        return new RowSlopes(-weight * row.LogProbability, Probability: weight, Target: -weight);
    }
}
