using System.Runtime.Intrinsics.X86;
using Distill.Student.Fused;
using TorchSharp;

namespace Distill.Student.Training;

/// <summary>
/// How weights are updated, whatever the loss. What changes the result belongs into cache keys: all but
/// <see cref="ActivationCheckpointing"/>.
/// </summary>
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

    /// <summary>
    /// Seed of the stochastic rounding of the bf16 weights; null rounds to nearest, which hides small updates. Unused in fp32 and fp16.
    /// </summary>
    public ulong? RoundingSeed { get; init; } = 1;

    /// <summary>
    /// Keeps only what enters each layer and computes the rest again on the way back: less memory, a third more time, the same gradient.
    /// Of the autograd passes; the fused ones keep little enough.
    /// </summary>
    public bool ActivationCheckpointing { get; init; }

    /// <summary>
    /// Lets a CUDA device round the factors of fp32 products to TF32, ten bits of fraction: several times faster, no longer fp32. In 16-bit
    /// precisions these are the products of the output projection, which the log-probabilities come from.
    /// </summary>
    public bool AllowTf32 { get; init; }

    /// <summary>Training threads. Part of the result: sums are grouped by thread.</summary>
    public int Threads { get; init; } = 2;

    /// <summary>Tokens of a micro-batch; bounds memory. A card takes more at once where its memory allows it.</summary>
    public int MicroBatchTokens { get; init; } = 2048;

    /// <summary>
    /// Whether this processor multiplies matrices of bf16 as fast as those of fp32. libtorch has kernels for it on x86 from AVX-512 on, and
    /// before that multiplies number by number, many times slower. Other processors are taken to have them.
    /// </summary>
    internal static bool HasBFloat16Products { get; } = !X86Base.IsSupported || (Avx512BW.VL.IsSupported && Avx512DQ.IsSupported);

    /// <summary>As a device computes it: mixed precision in fp32 where products of bf16 would be slower.</summary>
    internal TrainingOptions On(DeviceType device, bool? hasBFloat16Products = null) =>
        Precision == MatmulPrecision.Mixed && device == DeviceType.CPU && !(hasBFloat16Products ?? HasBFloat16Products)
            ? this with { Precision = MatmulPrecision.Fp32 }
            : this;

    internal LearningRateSchedule ToSchedule() => new(LearningRate, Decay, WarmupShare) { Floor = RateFloor, CoolDown = CoolDown };
}

/// <summary>What one optimiser step did.</summary>
/// <param name="Step">1 for the first.</param>
/// <param name="Steps">Planned steps.</param>
/// <param name="Loss">Of the step's whole batch, before the update.</param>
/// <param name="GradientNorm">Before clipping.</param>
/// <param name="Entropy">Mean entropy of the predicted distributions at learned tokens, in nats.</param>
/// <param name="Tokens">Read by the step, prompts included.</param>
/// <param name="LearnedTokens">Of these, learned.</param>
/// <param name="Seconds">Wall time of the step.</param>
public sealed record StepReport(
    int Step, int Steps, double Loss, double GradientNorm, double LearningRate, double Entropy, long Tokens, long LearnedTokens,
    double Seconds)
{
    /// <summary>Share of the learned tokens that the model held the likeliest, before the update.</summary>
    public double Accuracy { get; init; }

    /// <summary>What the look at the held-out examples after this step gave; null when there was none.</summary>
    public double? HeldOut { get; init; }
}
