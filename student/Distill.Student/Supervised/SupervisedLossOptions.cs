using Distill.Student.Training;

namespace Distill.Student.Supervised;

/// <summary>What is learned of examples besides plain cross-entropy averaged over tokens, which is what all defaults together give.</summary>
public sealed record SupervisedLossOptions
{
    public TokenAverage Average { get; init; } = TokenAverage.Token;

    /// <summary>Whether each token is weighted by its own probability: see <see cref="RectifiedTargetTerm"/>.</summary>
    public bool Rectified { get; init; }

    /// <summary>Share of the uniform distribution in the target, 0..1: see <see cref="UniformTargetTerm"/>.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>Of <see cref="PartitionTerm"/>.</summary>
    public double PartitionWeight { get; init; }

    /// <summary>Of the entropy, which is rewarded: see <see cref="EntropyTerm"/>.</summary>
    public double EntropyBonus { get; init; }

    /// <param name="tokens">Learned tokens of the optimiser step.</param>
    /// <param name="sequences">Its examples.</param>
    public RowLoss ToLoss(long tokens, int sequences)
    {
        List<WeightedTerm> terms = [new(Rectified ? new RectifiedTargetTerm() : new TargetTerm(), 1 - LabelSmoothing)];
        if (LabelSmoothing > 0) terms.Add(new(new UniformTargetTerm(), LabelSmoothing));
        if (PartitionWeight > 0) terms.Add(new(new PartitionTerm(), PartitionWeight));
        if (EntropyBonus > 0) terms.Add(new(new EntropyTerm(), -EntropyBonus));
        return new RowLoss(terms, new StepAverage(Average, tokens, sequences));
    }

    internal void AddTo(TrainingDigest digest) =>
        digest.Add("loss").Add((long)Average, Rectified ? 1 : 0).Add(LabelSmoothing, PartitionWeight, EntropyBonus);
}
