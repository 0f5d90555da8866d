using Distill.Student.Model;
using Distill.Student.Training;

namespace Distill.Student.Reinforcement;

/// <summary>The weights a policy started from, frozen: what the KL term measures from. The owner disposes it. One thread.</summary>
internal sealed class PolicyReference : IReferencePolicy, IDisposable
{
    private readonly FlatParameters weights;
    private readonly IGradientModel model;

    public PolicyReference(FlatParameters start, GroupRelativeOptions options)
    {
        weights = new FlatParameters(start.Architecture);
        start.Span.CopyTo(weights.Span);
        model = GradientModels.Create(weights, options.Training, options.LongestSequence);
    }

    public IReadOnlyList<Rollout> Score(IReadOnlyList<Rollout> rollouts, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var scores = model.Score(rollouts);
        return [.. rollouts.Select((rollout, index) => rollout with { ReferenceLogProbabilities = scores[index] })];
    }

    public void Dispose()
    {
        model.Dispose();
        weights.Dispose();
    }
}
