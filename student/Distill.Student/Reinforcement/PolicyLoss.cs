using Distill.Student.Training;

namespace Distill.Student.Reinforcement;

/// <summary>
/// The GRPO family: Σ (surrogate(ρ, A) + β·k3) / divisor over completion tokens. k3 is <see cref="ReferenceEstimate"/> and needs the rollouts' reference log-probabilities.
/// Micro-batches hold whole completions, so a completion's own ratio needs nothing from outside. Every sequence must be a <see cref="Rollout"/>.
/// </summary>
/// <param name="referenceWeight">β; 0 leaves the term out.</param>
public sealed class PolicyLoss(IPolicySurrogate surrogate, RatioLevel level, PolicyDivisor divisor, double referenceWeight = 0) : ITokenLoss
{
    public double Evaluate(TokenBatch batch, ReadOnlySpan<float> logProbabilities, Span<float> derivatives)
    {
        double sum = 0;
        for (int sequence = 0; sequence < batch.Sequences.Count; sequence++)
        {
            int first = batch.SupervisedStarts[sequence], length = batch.SupervisedStarts[sequence + 1] - first;
            sum += Evaluate((Rollout)batch.Sequences[sequence], logProbabilities.Slice(first, length), derivatives.Slice(first, length));
        }

        return sum;
    }

    private double Evaluate(Rollout rollout, ReadOnlySpan<float> logProbabilities, Span<float> derivatives)
    {
        var sampled = rollout.Completion.LogProbabilities;
        double sum = 0, scale = divisor.For(logProbabilities.Length), whole = level == RatioLevel.Sequence ? SequenceRatio(logProbabilities, sampled) : 0;
        for (int i = 0; i < logProbabilities.Length; i++)
        {
            double ratio = level == RatioLevel.Sequence ? whole : Math.Exp(logProbabilities[i] - sampled[i]);
            // A completion's ratio moves by 1/length with each token, and each token's loss with it: together the token's own slope again.
            var (loss, slope) = surrogate.Of(ratio, rollout.Advantage, logProbabilities[i]);
            if (referenceWeight > 0)
            {
                loss += referenceWeight * ReferenceEstimate.Of(rollout.ReferenceLogProbabilities[i], logProbabilities[i]);
                slope += referenceWeight * ReferenceEstimate.Slope(rollout.ReferenceLogProbabilities[i], logProbabilities[i]);
            }

            sum += loss;
            derivatives[i] = (float)(slope / scale);
        }

        return sum / scale;
    }

    private static double SequenceRatio(ReadOnlySpan<float> logProbabilities, IReadOnlyList<float> sampled)
    {
        double sum = 0;
        for (int i = 0; i < logProbabilities.Length; i++) sum += (double)logProbabilities[i] - sampled[i];
        return Math.Exp(sum / logProbabilities.Length);
    }
}
