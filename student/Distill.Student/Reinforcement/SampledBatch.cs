namespace Distill.Student.Reinforcement;

/// <summary>The rollouts of one step, a group per problem.</summary>
/// <param name="All">Everything sampled, in the order drawn.</param>
/// <param name="Kept">What is learned from: all, or those that are not dead where dead groups are replaced.</param>
internal sealed record SampledBatch(IReadOnlyList<IReadOnlyList<Rollout>> All, IReadOnlyList<IReadOnlyList<Rollout>> Kept)
{
    /// <summary>Whether all completions of a problem earned the same and teach nothing.</summary>
    public static bool IsDead(IReadOnlyList<Rollout> group) => group.All(rollout => rollout.Reward == group[0].Reward);
}
