namespace Distill.Student.Supervised;

/// <summary>
/// The entropy of the predicted distribution. With a negative weight it is a confidence penalty, which keeps a student from being surer than its
/// examples warrant (Pereyra et al. 2017, arXiv 1701.06548).
/// </summary>
public sealed class EntropyTerm : IRowTerm
{
    public RowSlopes Of(in RowNumbers row) => new(row.Entropy, Probability: -row.Entropy, Logarithm: -1);
}
