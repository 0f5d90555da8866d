using Distill.Data.Problems;
using Distill.Student.Model;
using Distill.Student.Training;

namespace Distill.Student.Reinforcement;

/// <summary>
/// Looks at the held-out problems during a policy optimisation, and keeps the weights that did best: those of the start until others are
/// better by <see cref="PolicyScore.Worth"/>. What is looked at is what would be the result: the average where there is one. One thread.
/// </summary>
/// <param name="average">Of the parameters; null: there is none. Stays the caller's, as everything here does.</param>
internal sealed class PolicyLooks(
    IPolicyServer server, RolloutCollection collection, IReadOnlyList<Problem> heldOut, GroupRelativeOptions options,
    FlatParameters parameters, WeightAverage? average)
{
    private readonly HeldOutAccuracy accuracy = new(server, collection, heldOut, options.EvaluationSamples, options.Seed);

    /// <returns>The state before the first step, which the caller disposes.</returns>
    /// <exception cref="OperationCanceledException">While it samples.</exception>
    public ReinforcementState Start(CancellationToken cancellation)
    {
        var score = accuracy.Look(parameters, cancellation);
        return new ReinforcementState { Before = score, BestScore = score, Best = KeptValues.Of(parameters.Values) };
    }

    /// <summary>To be called after every step: the average takes in the weights as they are now.</summary>
    public void CountUpdate() => average?.Add(parameters.Values);

    /// <param name="step">Steps made.</param>
    public bool IsDue(int step) => step % options.EvaluateEvery == 0 || step == options.Steps;

    /// <exception cref="OperationCanceledException">While it samples; the parameters may then be the average.</exception>
    public PolicyScore Look(ReinforcementState state, CancellationToken cancellation)
    {
        using var live = average is null ? null : KeptValues.Of(parameters.Values);
        average?.CopyTo(parameters.Values);
        var score = accuracy.Look(parameters, cancellation);
        if (score.IsBetterThan(state.BestScore, state.Before)) state.Keep(score, parameters.Values);
        live?.CopyTo(parameters.Values);
        return score;
    }
}
