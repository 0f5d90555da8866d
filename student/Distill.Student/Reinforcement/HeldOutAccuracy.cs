using Distill.Data.Problems;
using Distill.Verification;
using Distill.Generation;
using Distill.Student.Model;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.Student.Reinforcement;

/// <summary>
/// Share of correct completions of held-out problems, sampled at temperature 1 with seeds that depend on problem and sample alone, so that
/// looks at different weights compare. One thread.
/// </summary>
/// <param name="samples">Completions per problem.</param>
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
        var groups = collection.Collect(
            policy, problems, samples, temperature: 1,
            (problem, sample) => SeedSequence.Derive(seed ^ 0x6865_6C64, SeedSequence.Hash(problem.Id), (ulong)sample), cancellation);
        var rollouts = groups.SelectMany(group => group).ToList();
        return rollouts.Count == 0 ? 0 : (double)rollouts.Count(rollout => rollout.Verdict == Verdict.Correct) / rollouts.Count;
    }

    public void AddTo(TrainingDigest digest)
    {
        digest.Add(Name).Add(samples, unchecked((long)seed));
        foreach (var problem in problems) digest.Add(problem.Id);
    }
}
