using Distill.Student.Model;
using Distill.Student.Training;
using TorchSharp;

namespace Distill.Student.Reinforcement;

/// <summary>A policy that is only asked what it thinks of rollouts: the start of a training, or a teacher. One thread calls it.</summary>
internal interface IReferencePolicy
{
    /// <summary>The rollouts, in their order, with this policy's log-probabilities of their completions' tokens.</summary>
    /// <exception cref="OperationCanceledException">Between two rollouts.</exception>
    IReadOnlyList<Rollout> Score(IReadOnlyList<Rollout> rollouts, CancellationToken cancellation);
}

/// <summary>A teacher that tells more than what it thinks of the sampled tokens. One thread calls it.</summary>
internal interface ITeacherPolicy : IReferencePolicy
{
    /// <summary>As <see cref="IReferencePolicy.Score"/>, with <see cref="Rollout.Teacher"/>.</summary>
    /// <param name="top">Tokens to name at each place; as many as the vocabulary has, or more: all of them.</param>
    IReadOnlyList<Rollout> Score(IReadOnlyList<Rollout> rollouts, int top, CancellationToken cancellation);
}

/// <summary>The weights a policy started from, frozen: what the KL term measures from. The owner disposes it. One thread.</summary>
internal sealed class PolicyReference : IReferencePolicy, IDisposable
{
    private readonly FlatParameters weights;
    private readonly IGradientModel model;

    public PolicyReference(FlatParameters start, GroupRelativeOptions options)
    {
        weights = new FlatParameters(start.Architecture, start.Device, start.Passes);
        using (torch.NewDisposeScope())
        using (torch.no_grad()) weights.Values.copy_(start.Values);
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

/// <summary>What a policy loss adds for the distance from the reference: β·k3 per token.</summary>
/// <param name="Weight">β.</param>
/// <param name="Corrected">
/// Weigh k3 by the token's own ratio π / π_sampled: k3 estimates KL(π‖reference) at tokens of π, and the rollouts' tokens are the sampler's
/// (DeepSeek-V3.2 2025, arXiv 2512.02556).
/// </param>
internal sealed record ReferenceTerm(double Weight, bool Corrected = false)
{
    /// <returns>The term and its derivative by <paramref name="logProbability"/>.</returns>
    public (double Value, double Slope) Of(double reference, double logProbability, double sampled)
    {
        double value = ReferenceEstimate.Of(reference, logProbability), slope = ReferenceEstimate.Slope(reference, logProbability);
        if (!Corrected) return (Weight * value, Weight * slope);
        double ratio = Math.Exp(logProbability - sampled);
        return (Weight * ratio * value, Weight * ratio * (value + slope));
    }
}

/// <summary>
/// k3 = exp(d) − d − 1 with d = log π_reference − log π, at a token drawn from π: an estimate of KL(π‖reference) that is unbiased and never
/// negative (Schulman 2020, "Approximating KL divergence").
/// </summary>
internal static class ReferenceEstimate
{
    /// <returns>Nats.</returns>
    public static double Of(double reference, double logProbability)
    {
        double distance = reference - logProbability;
        return Math.Exp(distance) - distance - 1;
    }

    /// <returns>Derivative by <paramref name="logProbability"/>.</returns>
    public static double Slope(double reference, double logProbability) => 1 - Math.Exp(reference - logProbability);
}
