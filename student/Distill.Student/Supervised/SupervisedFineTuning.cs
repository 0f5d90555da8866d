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

    /// <summary>Decay of the moving average of the weights that is the result; null gives the last weights.</summary>
    public double? WeightAverage { get; init; }

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
        var average = options.WeightAverage is { } decay ? new WeightAverage(parameters.Count, decay) : null;
        if (File.Exists(statePath)) TrainingState.Load(statePath, parameters, optimizer, average);
        using var model = GradientModels.Create(parameters, training, examples.Max(example => example.Tokens.Count));
        var schedule = new LearningRateSchedule(training.LearningRate, training.Decay, training.WarmupShare);
        long saved = clock.GetTimestamp();
        try
        {
            new SupervisedLoop(model, optimizer, schedule, clock, Soft(options)).Run(source, AfterStep, cancellation);
        }
        catch (OperationCanceledException)
        {
            if (statePath is not null) TrainingState.Save(statePath, parameters, optimizer, average);
            throw;
        }

        average?.CopyTo(parameters.Span);

        void AfterStep(StepReport report)
        {
            afterStep(report);
            average?.Add(parameters.Span);
            if (statePath is null || clock.GetElapsedTime(saved) < SaveEvery) return;
            TrainingState.Save(statePath, parameters, optimizer, average);
            saved = clock.GetTimestamp();
        }
    }

    private static Func<long, IDistributionLoss>? Soft(SupervisedOptions options) =>
        options.SoftLabels is { } soft ? learned => new SoftLabelLoss(soft.Divergence, soft.Weight, learned) : null;
}
