using Distill.Student.Training;

namespace Distill.Student.Reinforcement;

/// <summary>
/// −Σ exp(log π − log π_sampled)·A / N on the student's own completions, A = −c·(log π_sampled − log π_teacher) per token: reverse KL to a
/// teacher by importance sampling (Thinking Machines 2025, tinker's <c>train_on_policy</c>). No clipping, no return of later tokens. The
/// rollouts' reference log-probabilities are the teacher's.
/// </summary>
/// <param name="tokens">N: learned tokens of the whole optimiser step.</param>
/// <param name="coefficient">c.</param>
public sealed class OnPolicyDistillationLoss(long tokens, double coefficient = 1) : ITokenLoss
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
                double sampled = rollout.Completion.LogProbabilities[i - first];
                double advantage = -coefficient * (sampled - rollout.ReferenceLogProbabilities[i - first]);
                double weighted = Math.Exp(logProbabilities[i] - sampled) * advantage;
                sum -= weighted;
                derivatives[i] = (float)(-weighted / tokens);
            }
        }

        return sum / tokens;
    }
}
