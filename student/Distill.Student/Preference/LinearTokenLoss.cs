using Distill.Student.Training;

namespace Distill.Student.Preference;

/// <summary>
/// Σ slope · log π(token). At the weights where the slopes were taken its gradient is that of the loss they belong to, by the chain rule; so a
/// loss over whole steps is differentiated micro-batch by micro-batch. Every sequence must be a <see cref="WeightedSequence"/>.
/// </summary>
public sealed class LinearTokenLoss : ITokenLoss
{
    public double Evaluate(TokenBatch batch, ReadOnlySpan<float> logProbabilities, Span<float> derivatives)
    {
        double sum = 0;
        for (int sequence = 0; sequence < batch.Sequences.Count; sequence++)
        {
            double slope = ((WeightedSequence)batch.Sequences[sequence]).Slope;
            for (int i = batch.SupervisedStarts[sequence]; i < batch.SupervisedStarts[sequence + 1]; i++)
            {
                sum += slope * logProbabilities[i];
                derivatives[i] = (float)slope;
            }
        }

        return sum;
    }
}
