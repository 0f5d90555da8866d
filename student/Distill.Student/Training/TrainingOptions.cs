using Distill.Student.Fused;

namespace Distill.Student.Training;

/// <summary>How weights are updated, whatever the loss. Everything here changes the result and belongs into cache keys.</summary>
public sealed record TrainingOptions
{
    public double LearningRate { get; init; } = 2e-3;

    public Decay Decay { get; init; } = Decay.Linear;

    /// <summary>Share of the steps over which the learning rate rises.</summary>
    public double WarmupShare { get; init; } = 0.03;

    public AdamWOptions Optimizer { get; init; } = new();

    public MatmulPrecision Precision { get; init; } = MatmulPrecision.BFloat16;

    /// <summary>Training threads. Part of the result: sums are grouped by thread.</summary>
    public int Threads { get; init; } = 2;

    /// <summary>Tokens of a micro-batch; bounds memory.</summary>
    public int MicroBatchTokens { get; init; } = 2048;
}
