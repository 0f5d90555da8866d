namespace Distill.Student.Training;

/// <summary>What the learned tokens of a pass add up to.</summary>
/// <param name="Hits">Tokens that no other was more likely than.</param>
internal readonly record struct PassSums(double Loss, double LogProbability, double Entropy, long Hits)
{
    public static PassSums operator +(PassSums one, PassSums other) =>
        new(one.Loss + other.Loss, one.LogProbability + other.LogProbability, one.Entropy + other.Entropy, one.Hits + other.Hits);

    public PassResult Over(IReadOnlyList<TrainingSequence> sequences)
    {
        double learned = sequences.Sum(sequence => (long)sequence.SupervisedCount);
        return new PassResult(Loss, LogProbability / learned, Entropy / learned) { Accuracy = Hits / learned };
    }
}
