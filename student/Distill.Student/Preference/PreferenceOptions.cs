using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.Student.Preference;

/// <summary>Options of <see cref="PreferenceTuning"/>. Everything here changes the result.</summary>
public sealed record PreferenceOptions
{
    /// <summary>A name of <see cref="PreferenceLosses"/>.</summary>
    public string Loss { get; init; } = "sigmoid";

    public PreferenceLossOptions Constants { get; init; } = new();

    public int Epochs { get; init; } = 1;

    /// <summary>Pairs of one optimiser step.</summary>
    public int PairsPerStep { get; init; } = 32;

    /// <summary>
    /// When held-out data is looked at, the start included; the weights that did best there are the result. Null: the last weights are.
    /// </summary>
    public HeldOutOptions? HeldOut { get; init; }

    public TrainingOptions Training { get; init; } = new() { LearningRate = 5e-5, WarmupShare = 0.1 };

    public ulong Seed { get; init; } = 1;
}

/// <summary>What one optimiser step did.</summary>
/// <param name="Step">As for any training; the loss is the step's, before the update.</param>
public sealed record PreferenceStepReport(StepReport Step, PreferenceMetrics Metrics);

/// <summary>How a preference tuning ended.</summary>
/// <param name="Training">As of any training; its best look may be at step 0.</param>
/// <param name="Start">The look at the start; null without held-out data.</param>
public sealed record PreferenceResult(SupervisedResult Training, HeldOutLook? Start);
