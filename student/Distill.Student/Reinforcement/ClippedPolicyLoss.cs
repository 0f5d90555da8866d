using Distill.Student.Training;

namespace Distill.Student.Reinforcement;

/// <summary>
/// −Σ min(ρ·A, clip(ρ, 1−low, 1+high)·A) / N over completion tokens, ρ = π(token) / π_sampled(token): PPO's clipped surrogate with
/// the higher upper bound and the token-level normalisation of DAPO (Yu et al. 2025, arXiv 2503.14476). N counts the tokens of the
/// whole optimiser step. No KL term. Every sequence of a batch must be a <see cref="Rollout"/>.
/// </summary>
/// <param name="tokens">N.</param>
public sealed class ClippedPolicyLoss(long tokens, double clipLow, double clipHigh) : ITokenLoss
{
    public double Evaluate(TokenBatch batch, ReadOnlySpan<float> logProbabilities, Span<float> derivatives)
    {
        double sum = 0;
        for (int sequence = 0; sequence < batch.Sequences.Count; sequence++)
        {
            var rollout = (Rollout)batch.Sequences[sequence];
            int first = batch.SupervisedStarts[sequence];
            for (int i = first; i < batch.SupervisedStarts[sequence + 1]; i++)
            {
                double ratio = Math.Exp(logProbabilities[i] - rollout.Completion.LogProbabilities[i - first]);
                double free = ratio * rollout.Advantage, clipped = Math.Clamp(ratio, 1 - clipLow, 1 + clipHigh) * rollout.Advantage;
                sum -= Math.Min(free, clipped);
                derivatives[i] = free <= clipped ? (float)(-free / tokens) : 0; // d ρ / d log π = ρ; a clipped token has no slope
            }
        }

        return sum / tokens;
    }
}
