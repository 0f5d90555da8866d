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
/// optimiser step. The parameters are changed in place. Saves its state on the way and continues from it exactly. One thread calls it.
/// </summary>
public static class SupervisedFineTuning
{
    private static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(30);

    /// <param name="parameters">The base; overwritten from the state when there is one.</param>
    /// <param name="statePath">Where the state is kept; continued from when it exists, deleted by nobody. Null keeps none.</param>
    /// <param name="afterStep">Sees every step.</param>
    /// <exception cref="OperationCanceledException">Between two steps, after saving the state.</exception>
    public static void Run(
        FlatParameters parameters, IReadOnlyList<TrainingSequence> examples, SupervisedOptions options, TimeProvider clock, string? statePath,
        Action<StepReport> afterStep, CancellationToken cancellation)
    {
        var training = options.Training;
        var source = new EpochSource(examples, options.Epochs, options.BatchTokens, options.Seed);
        var optimizer = new AdamW(parameters, training.Optimizer);
        if (File.Exists(statePath)) TrainingState.Load(statePath, parameters, optimizer);
        using var model = GradientModels.Create(parameters, training, examples.Max(example => example.Tokens.Count));
        var schedule = new LearningRateSchedule(training.LearningRate, training.Decay, training.WarmupShare);
        long saved = clock.GetTimestamp();
        try
        {
            new SupervisedLoop(model, optimizer, schedule, clock).Run(source, AfterStep, cancellation);
        }
        catch (OperationCanceledException)
        {
            if (statePath is not null) TrainingState.Save(statePath, parameters, optimizer);
            throw;
        }

        void AfterStep(StepReport report)
        {
            afterStep(report);
            if (statePath is null || clock.GetElapsedTime(saved) < SaveEvery) return;
            TrainingState.Save(statePath, parameters, optimizer);
            saved = clock.GetTimestamp();
        }
    }
}
