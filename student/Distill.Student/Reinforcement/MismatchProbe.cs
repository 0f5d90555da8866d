using Distill.Student.Training;

namespace Distill.Student.Reinforcement;

/// <summary>
/// Passes a loss through and measures, on the way, how far the trainer's log-probabilities lie from the sampler's, and from the
/// reference's where rollouts have them. With one update per batch any distance from the sampler is numerical, never policy change.
/// Thread-safe.
/// </summary>
internal sealed class MismatchProbe(ITokenLoss loss) : ITokenLoss
{
    private readonly Lock gate = new();
    private double sum, largest, reference, difference;
    private long count;

    public double Mean => count == 0 ? 0 : sum / count;

    public double Largest => largest;

    /// <summary>Mean k3 estimate of KL to the reference, in nats.</summary>
    public double ReferenceDistance => count == 0 ? 0 : reference / count;

    /// <summary>Mean of log π − log π_reference, in nats: the plain estimate of the same, less noisy where the two lie far apart.</summary>
    public double ReferenceDifference => count == 0 ? 0 : difference / count;

    /// <summary>Counts one learned token whose loss is another's business.</summary>
    /// <param name="position">Place among the completion's tokens.</param>
    /// <param name="logProbability">log π of the token.</param>
    public void Add(Rollout rollout, int position, double logProbability)
    {
        double apart = Math.Abs(logProbability - rollout.Completion.LogProbabilities[position]);
        lock (gate)
        {
            sum += apart;
            largest = Math.Max(largest, apart);
            count++;
            if (rollout.ReferenceLogProbabilities.Count == 0) return;
            reference += ReferenceEstimate.Of(rollout.ReferenceLogProbabilities[position], logProbability);
            difference += logProbability - rollout.ReferenceLogProbabilities[position];
        }
    }

    public double Evaluate(TokenBatch batch, ReadOnlySpan<float> logProbabilities, Span<float> derivatives)
    {
        double distance = 0, most = 0, divergence = 0, apartness = 0;
        for (int sequence = 0; sequence < batch.Sequences.Count; sequence++)
        {
            var rollout = (Rollout)batch.Sequences[sequence];
            var (sampled, start) = (rollout.Completion.LogProbabilities, rollout.ReferenceLogProbabilities);
            int first = batch.SupervisedStarts[sequence];
            for (int i = first; i < batch.SupervisedStarts[sequence + 1]; i++)
            {
                float apart = Math.Abs(logProbabilities[i] - sampled[i - first]);
                distance += apart;
                most = Math.Max(most, apart);
                if (start.Count == 0) continue;
                divergence += ReferenceEstimate.Of(start[i - first], logProbabilities[i]);
                apartness += (double)logProbabilities[i] - start[i - first];
            }
        }

        lock (gate)
        {
            sum += distance;
            largest = Math.Max(largest, most);
            reference += divergence;
            difference += apartness;
            count += logProbabilities.Length;
        }

        return loss.Evaluate(batch, logProbabilities, derivatives);
    }
}
