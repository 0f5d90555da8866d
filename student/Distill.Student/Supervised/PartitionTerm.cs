namespace Distill.Student.Supervised;

/// <summary>
/// (log Σ exp(logit))²: softmax leaves the level of the logits free, and this keeps it near 0, where low precision rounds least (z-loss, PaLM,
/// Chowdhery et al. 2022, arXiv 2204.02311).
/// </summary>
public sealed class PartitionTerm : IRowTerm
{
    public RowSlopes Of(in RowNumbers row) => new(row.LogTotal * row.LogTotal, Probability: 2 * row.LogTotal);
}
