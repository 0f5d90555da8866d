namespace Distill.Student.Reinforcement;

/// <summary>The rollouts of one step, a group per problem.</summary>
/// <param name="All">Everything sampled, in the order drawn.</param>
/// <param name="Kept">What is learned from: all, or those that are not dead where dead groups are replaced.</param>
internal sealed record SampledBatch(IReadOnlyList<IReadOnlyList<Rollout>> All, IReadOnlyList<IReadOnlyList<Rollout>> Kept)
{
    /// <summary>Whether all completions of a problem earned the same and teach nothing.</summary>
    public static bool IsDead(IReadOnlyList<Rollout> group)
    {
        double[] rewards = [.. group.Select(rollout => rollout.Reward).Where(reward => !double.IsNaN(reward))];
        return rewards.All(reward => reward == rewards[0]);
    }
}
