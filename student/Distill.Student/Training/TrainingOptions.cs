using Distill.Student.Fused;

namespace Distill.Student.Training;

/// <summary>How weights are updated, whatever the loss. What changes the result belongs into cache keys: all but <see cref="ActivationCheckpointing"/>.</summary>
public sealed record TrainingOptions
{
    public double LearningRate { get; init; } = 2e-3;

    public Decay Decay { get; init; } = Decay.Linear;

    /// <summary>Share of the steps over which the learning rate rises.</summary>
    public double WarmupShare { get; init; } = 0.03;

    /// <summary>Share of the peak that the rate falls to.</summary>
    public double RateFloor { get; init; }

    /// <summary>How the rate falls at the end of <see cref="Decay.Trapezoid"/>.</summary>
    public CoolDown CoolDown { get; init; }

    public AdamWOptions Optimizer { get; init; } = new();

    public MatmulPrecision Precision { get; init; } = MatmulPrecision.Mixed;

    /// <summary>Seed of the stochastic rounding of the bf16 weights; null rounds to nearest, which hides small updates. Unused in fp32 and fp16.</summary>
    public ulong? RoundingSeed { get; init; } = 1;

    /// <summary>
    /// Keeps only what enters each layer and computes the rest again on the way back: less memory, a third more time, the same gradient.
    /// Of the autograd passes; the fused ones keep little enough.
    /// </summary>
    public bool ActivationCheckpointing { get; init; }

    /// <summary>Training threads. Part of the result: sums are grouped by thread.</summary>
    public int Threads { get; init; } = 2;

    /// <summary>Tokens of a micro-batch; bounds memory.</summary>
    public int MicroBatchTokens { get; init; } = 2048;

    public LearningRateSchedule ToSchedule() => new(LearningRate, Decay, WarmupShare) { Floor = RateFloor, CoolDown = CoolDown };
}
