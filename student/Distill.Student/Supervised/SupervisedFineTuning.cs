using Distill.Student.Model;
using Distill.Student.Training;

namespace Distill.Student.Supervised;

/// <summary>Options of supervised fine-tuning.</summary>
public sealed record SupervisedOptions
{
    public int Epochs { get; init; } = 2;

    /// <summary>Tokens per optimiser step, prompts included.</summary>
    public int BatchTokens { get; init; } = 8192;

    public TrainingOptions Training { get; init; } = new();

    public ulong Seed { get; init; } = 1;
}

/// <summary>
/// Fine-tunes on examples whose completions alone are learned: cross-entropy normalised over the learned tokens of the whole
/// optimiser step. The parameters are changed in place. One thread calls it.
/// </summary>
public static class SupervisedFineTuning
{
    /// <param name="afterStep">Sees every step.</param>
    /// <exception cref="OperationCanceledException">Between two steps.</exception>
    public static void Run(
        FlatParameters parameters, IReadOnlyList<TrainingSequence> examples, SupervisedOptions options, TimeProvider clock,
        Action<StepReport> afterStep, CancellationToken cancellation)
    {
        var training = options.Training;
        var source = new EpochSource(examples, options.Epochs, options.BatchTokens, options.Seed);
        using var model = GradientModels.Create(parameters, training);
        var schedule = new LearningRateSchedule(training.LearningRate, training.Decay, training.WarmupShare);
        new SupervisedLoop(model, new AdamW(parameters, training.Optimizer), schedule, clock).Run(source, afterStep, cancellation);
    }
}
