using Distill.Data.Problems;
using Distill.Verification;
using Distill.Generation;
using Distill.Student.Model;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.Student.Reinforcement;

/// <summary>
/// Share of correct completions of held-out problems, sampled at temperature 1 with seeds that depend on problem and sample alone, so that
/// looks at different weights compare; where it is asked for, greedy ones beside them. One thread.
/// </summary>
/// <param name="samples">Sampled completions per problem.</param>
internal sealed class HeldOutAccuracy(
    IPolicyServer server, RolloutCollection collection, IReadOnlyList<Problem> problems, int samples, ulong seed) : IHeldOutMeasure
{
    public string Name => "held_out_accuracy";

    public bool HigherIsBetter => true;

    public int Longest => 0;

    public double Of(IGradientModel model, CancellationToken cancellation) => Of(model.Parameters, cancellation);

    /// <returns>0..1; 0 without problems.</returns>
    /// <exception cref="OperationCanceledException">While it samples.</exception>
    public double Of(FlatParameters parameters, CancellationToken cancellation)
    {
        using var policy = server.Serve(parameters);
        return ShareOf(collection.Collect(policy, [.. problems.Select(Sampled)], cancellation));
    }

    /// <summary>Sampled and greedy at once: one completion a problem more, in the same batch.</summary>
    /// <exception cref="OperationCanceledException">While it samples.</exception>
    public PolicyScore Look(FlatParameters parameters, CancellationToken cancellation)
    {
        using var policy = server.Serve(parameters);
        var groups = collection.Collect(
            policy, [.. problems.Select(Sampled), .. problems.Select(problem => new AskedProblem(problem, Temperature: 0, [0]))],
            cancellation);
        return new PolicyScore(ShareOf(groups.Take(problems.Count)), ShareOf(groups.Skip(problems.Count)));
    }

    public void AddTo(TrainingDigest digest)
    {
        digest.Add(Name).Add(samples, unchecked((long)seed));
        foreach (var problem in problems) digest.Add(problem.Id);
    }

    private AskedProblem Sampled(Problem problem) => new(
        problem, Temperature: 1,
        [.. Enumerable.Range(0, samples)
            .Select(sample => SeedSequence.Derive(seed ^ 0x6865_6C64, SeedSequence.Hash(problem.Id), (ulong)sample))]);

    private static double ShareOf(IEnumerable<IReadOnlyList<Rollout>> groups)
    {
        var rollouts = groups.SelectMany(group => group).ToList();
        return rollouts.Count == 0 ? 0 : (double)rollouts.Count(rollout => rollout.Verdict == Verdict.Correct) / rollouts.Count;
    }
}
