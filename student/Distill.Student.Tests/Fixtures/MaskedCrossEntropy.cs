using Distill.Student.Training;

namespace Distill.Student.Tests.Fixtures;

/// <summary>Cross-entropy over an arbitrary set of positions, as the reference's labels choose them.</summary>
internal sealed class MaskedCrossEntropy(List<TrainingSequence> sequences, long[] labels, int time) : ITokenLoss
{
    private readonly int supervised = Enumerable.Range(0, labels.Length).Count(i => i % time != 0 && labels[i] >= 0);

    public double Evaluate(TokenBatch batch, ReadOnlySpan<float> logProbabilities, Span<float> derivatives)
    {
        double sum = 0;
        for (int s = 0; s < batch.Sequences.Count; s++)
        {
            int row = sequences.IndexOf(batch.Sequences[s]);
            for (int i = batch.SupervisedStarts[s]; i < batch.SupervisedStarts[s + 1]; i++)
            {
                bool learned = labels[row * time + 1 + i - batch.SupervisedStarts[s]] >= 0;
                derivatives[i] = learned ? -1f / supervised : 0;
                if (learned) sum -= logProbabilities[i] / supervised;
            }
        }

        return sum;
    }
}
