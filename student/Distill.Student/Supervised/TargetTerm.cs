namespace Distill.Student.Supervised;

/// <summary>−log p of the learned token: cross-entropy.</summary>
public sealed class TargetTerm : IRowTerm
{
    public RowSlopes Of(in RowNumbers row) => new(-row.LogProbability, Probability: 1, Target: -1);
}
