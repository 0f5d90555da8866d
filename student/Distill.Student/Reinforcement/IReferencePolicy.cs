namespace Distill.Student.Reinforcement;

/// <summary>A policy that is only asked what it thinks of rollouts: the start of a training, or a teacher. One thread calls it.</summary>
public interface IReferencePolicy
{
    /// <summary>The rollouts, in their order, with this policy's log-probabilities of their completions' tokens.</summary>
    /// <exception cref="OperationCanceledException">Between two rollouts.</exception>
    IReadOnlyList<Rollout> Score(IReadOnlyList<Rollout> rollouts, CancellationToken cancellation);
}
