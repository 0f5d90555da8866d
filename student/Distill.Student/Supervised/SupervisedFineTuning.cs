using Distill.Student.Adapters;
using Distill.Student.Distillation;
using Distill.Student.Model;
using Distill.Student.Training;

namespace Distill.Student.Supervised;

/// <summary>Options of supervised fine-tuning.</summary>
public sealed record SupervisedOptions
{
    public int Epochs { get; init; } = 2;

    /// <summary>Tokens per optimiser step, prompts included.</summary>
    public int BatchTokens { get; init; } = 8192;

    /// <summary>Null learns the examples' tokens alone; else every example must be a <see cref="TeacherSequence"/>.</summary>
    public SoftLabelOptions? SoftLabels { get; init; }

    /// <summary>Null: plain cross-entropy. Not together with <see cref="SoftLabels"/>.</summary>
    public SupervisedLossOptions? Loss { get; init; }

    /// <summary>Decay of the moving average of the weights that is the result; null gives the last weights.</summary>
    public double? WeightAverage { get; init; }

    /// <summary>When held-out examples are looked at; the best weights seen there are the result. Null: the last weights are.</summary>
    public HeldOutOptions? HeldOut { get; init; }

    /// <summary>Trains adapters over frozen weights instead of the weights. Null trains the weights.</summary>
    public LowRankOptions? LowRank { get; init; }

    public TrainingOptions Training { get; init; } = new();

    public ulong Seed { get; init; } = 1;
}

/// <summary>How much of the loss is soft, and how it is taken.</summary>
/// <param name="Weight">0..1; the rest is cross-entropy.</param>
public sealed record SoftLabelOptions(TopTokenDivergence Divergence, double Weight);

/// <summary>
/// Fine-tunes on examples whose completions alone are learned: cross-entropy normalised over the learned tokens of the whole
/// optimiser step. The parameters are changed in place. Saves its state on the way and continues from it exactly. One thread calls it.
/// </summary>
public static class SupervisedFineTuning
{
    /// <param name="parameters">The base; overwritten from the state when there is one.</param>
    /// <param name="statePath">Where the state is kept; continued from when it exists, deleted by nobody. Null keeps none.</param>
    /// <param name="afterStep">Sees every step; before the state of that step is saved.</param>
    /// <param name="heldOut">What is looked at; needed with <see cref="SupervisedOptions.HeldOut"/>.</param>
    /// <param name="afterLook">Sees every look, with the weights that were looked at in the parameters; before <paramref name="afterStep"/>.</param>
    /// <exception cref="OperationCanceledException">Between two steps, after saving the state, or within a look; then the state saved last stands.</exception>
    /// <exception cref="InvalidDataException">The state is not that of this training.</exception>
    public static SupervisedResult Run(
        FlatParameters parameters, IReadOnlyList<TrainingSequence> examples, SupervisedOptions options, TimeProvider clock, string? statePath,
        Action<StepReport> afterStep, CancellationToken cancellation, IHeldOutMeasure? heldOut = null, Action<HeldOutLook>? afterLook = null)
    {
        using var training = new SupervisedTraining(parameters, examples, options, clock, statePath, heldOut);
        return training.Run(afterStep, afterLook, cancellation);
    }
}
