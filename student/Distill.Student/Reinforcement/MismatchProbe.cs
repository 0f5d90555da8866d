using Distill.Student.Training;

namespace Distill.Student.Reinforcement;

/// <summary>
/// Passes a loss through and measures, on the way, how far the trainer's log-probabilities lie from the sampler's. With one update
/// per batch any distance is numerical, never policy change. Thread-safe.
/// </summary>
internal sealed class MismatchProbe(ITokenLoss loss) : ITokenLoss
{
    private readonly Lock gate = new();
    private double sum;
    private long count;

    public double Mean => count == 0 ? 0 : sum / count;

    public double Evaluate(TokenBatch batch, ReadOnlySpan<float> logProbabilities, Span<float> derivatives)
    {
        double distance = 0;
        for (int sequence = 0; sequence < batch.Sequences.Count; sequence++)
        {
            var sampled = ((Rollout)batch.Sequences[sequence]).Completion.LogProbabilities;
            int first = batch.SupervisedStarts[sequence];
            for (int i = first; i < batch.SupervisedStarts[sequence + 1]; i++) distance += Math.Abs(logProbabilities[i] - sampled[i - first]);
        }

        lock (gate)
        {
            sum += distance;
            count += logProbabilities.Length;
        }

        return loss.Evaluate(batch, logProbabilities, derivatives);
    }
}
