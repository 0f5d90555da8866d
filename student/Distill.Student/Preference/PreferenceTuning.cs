using Distill.Student.Model;
using Distill.Student.Supervised;

namespace Distill.Student.Preference;

/// <summary>
/// Tunes a model to prefer the better of two completions: offline, on fixed pairs, against the weights it starts from (DPO, Rafailov et al. 2023,
/// arXiv 2305.18290, and its relatives). Each step scores its pairs, takes the loss's slopes over all of them, and differentiates once. The
/// parameters are changed in place. Saves its state on the way and continues from it exactly. One thread calls it.
/// </summary>
public static class PreferenceTuning
{
    /// <param name="parameters">The start and the reference; overwritten from the state when there is one.</param>
    /// <param name="statePath">Where the state is kept; continued from when it exists, deleted by nobody. Null keeps none.</param>
    /// <param name="afterStep">Sees every step; before the state of that step is saved.</param>
    /// <param name="heldOut">What is looked at; needed with <see cref="PreferenceOptions.HeldOut"/>.</param>
    /// <exception cref="ArgumentException">There are no pairs, or no loss of this name.</exception>
    /// <exception cref="OperationCanceledException">Between two steps, after saving the state, or within a look; then the state saved last stands.</exception>
    /// <exception cref="InvalidDataException">The state is not that of this training.</exception>
    public static PreferenceResult Run(
        FlatParameters parameters, IReadOnlyList<PreferencePair> pairs, PreferenceOptions options, TimeProvider clock, string? statePath,
        Action<PreferenceStepReport> afterStep, CancellationToken cancellation, IHeldOutMeasure? heldOut = null)
    {
        using var training = new PreferenceTraining(parameters, pairs, options, clock, statePath, heldOut);
        return training.Run(afterStep, cancellation);
    }
}

/// <summary>How a preference tuning ended.</summary>
/// <param name="Training">As of any training; its best look may be at step 0.</param>
/// <param name="Start">The look at the start; null without held-out data.</param>
public sealed record PreferenceResult(SupervisedResult Training, HeldOutLook? Start);
