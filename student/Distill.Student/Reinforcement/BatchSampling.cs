using Distill.Data.Problems;
using Distill.Generation;
using Distill.Student.Model;

namespace Distill.Student.Reinforcement;

/// <summary>
/// Samples the groups of a step; where asked to, draws other problems for those whose groups are dead, until the batch is full or the
/// rounds are used up (DAPO's dynamic sampling, Yu et al. 2025, arXiv 2503.14476). The seeds decide everything. One thread.
/// </summary>
internal sealed class BatchSampling(IPolicyServer server, RolloutCollection collection, GroupRelativeOptions options)
{
    /// <param name="problems">
    /// (step, place) → problem; places from <see cref="GroupRelativeOptions.ProblemsPerStep"/> on are replacements.
    /// </param>
    public SampledBatch Sample(FlatParameters parameters, Func<int, int, Problem> problems, int step, CancellationToken cancellation)
    {
        using var policy = server.Serve(parameters);
        var all = Collect(
            policy, [.. Enumerable.Range(0, options.ProblemsPerStep).Select(place => problems(step, place))], step, cancellation);
        if (options.ResampleRounds == 0) return new SampledBatch(all, all);
        var asked = all.Select(group => group[0].Problem.Id).ToHashSet();
        var kept = all.Where(group => !SampledBatch.IsDead(group)).ToList();
        int next = options.ProblemsPerStep;
        for (int round = 0; round < options.ResampleRounds && kept.Count < options.ProblemsPerStep; round++)
        {
            var drawn = new List<Problem>();
            for (int missing = options.ProblemsPerStep - kept.Count; missing > 0; missing--)
            {
                var problem = problems(step, next++);
                if (asked.Add(problem.Id)) drawn.Add(problem); // the same problem in the same step would get the same seeds
            }

            var groups = Collect(policy, drawn, step, cancellation);
            all.AddRange(groups);
            kept.AddRange(groups.Where(group => !SampledBatch.IsDead(group)));
        }

        return new SampledBatch(all, kept) { StayedDead = options.ProblemsPerStep - kept.Count };
    }

    private List<IReadOnlyList<Rollout>> Collect(ITokenModel policy, List<Problem> problems, int step, CancellationToken cancellation) =>
    [
        .. collection.Collect(
            policy, problems, options.Samples, options.Temperature,
            (problem, sample) => SeedSequence.Derive(options.Seed + (ulong)step, SeedSequence.Hash(problem.Id), (ulong)sample),
            cancellation),
    ];
}

/// <summary>The rollouts of one step, a group per problem.</summary>
/// <param name="All">Everything sampled, in the order drawn.</param>
/// <param name="Kept">What is learned from: all, or those that are not dead where dead groups are replaced.</param>
internal sealed record SampledBatch(IReadOnlyList<IReadOnlyList<Rollout>> All, IReadOnlyList<IReadOnlyList<Rollout>> Kept)
{
    /// <summary>
    /// Planned groups that are missing in <see cref="Kept"/>, because the rounds were used up; 0 where nothing is replaced.
    /// </summary>
    public int StayedDead { get; init; }

    /// <summary>Whether all completions of a problem earned the same and teach nothing.</summary>
    public static bool IsDead(IReadOnlyList<Rollout> group)
    {
        double[] rewards = [.. group.Select(rollout => rollout.Reward).Where(reward => !double.IsNaN(reward))];
        return rewards.All(reward => reward == rewards[0]);
    }
}
