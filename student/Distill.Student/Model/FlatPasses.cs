using Distill.Student.Fused;
using TorchSharp;
using static TorchSharp.torch;

namespace Distill.Student.Model;

/// <summary>
/// What a training does to a whole vector of weights, gradients or moments: each a single pass over it, on the device where it lies.
/// All tensors of a call are contiguous, one-dimensional, of the same length and on the same device. Thread-safe.
/// </summary>
internal interface IFlatPasses
{
    /// <returns>Σ value², summed so that it does not lose digits with the length.</returns>
    double SumOfSquares(Tensor values);

    bool AreFinite(Tensor values);

    /// <summary>average ← (1 − share)·average + share·values</summary>
    void Average(Tensor average, Tensor values, double share);

    /// <summary>Prepares the updates of one training; the caller disposes them before the values.</summary>
    /// <param name="blocks">What is updated, in the order in which it lies; null: everything.</param>
    IFlatUpdate UpdatesOf(ITrainedValues trained, IReadOnlyList<TrainedBlock>? blocks = null);

    /// <summary>Rounds fp32 to bf16.</summary>
    /// <param name="target">bf16, overwritten.</param>
    /// <param name="first">Index of the first value in the stream of random bits.</param>
    /// <param name="key">Of <see cref="StochasticRounding"/>; null rounds to nearest, ties to even.</param>
    /// <param name="threads">That may share the work; the result does not depend on them.</param>
    void Round(Tensor values, Tensor target, long first, (uint Inner, uint Outer)? key, int threads);
}

/// <summary>Updates of the values of one training. One thread.</summary>
internal interface IFlatUpdate : IDisposable
{
    /// <summary>
    /// One update, g the gradient times its factor. AdamW's: m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g²,
    /// value ← shrink·value − size·m / (√v·correction + ε); of <see cref="MuonUpdate"/> for what it leaves to AdamW.
    /// </summary>
    /// <param name="gradient">[values], left as it is.</param>
    /// <param name="first">[values]: m, updated.</param>
    /// <param name="second">[values]: v, updated.</param>
    void Apply(Tensor gradient, Tensor first, Tensor second, in AdamWStep step);
}

/// <summary>The numbers of one AdamW update.</summary>
/// <param name="Clip">Factor of the gradient.</param>
/// <param name="Shrink">1 − rate · decay: for the values that decay; for the others it is 1.</param>
/// <param name="Size">rate / (1 − β₁ᵗ).</param>
/// <param name="Correction">1 / √(1 − β₂ᵗ).</param>
/// <param name="Rate">The learning rate, for updates that correct nothing.</param>
internal readonly record struct AdamWStep(
    double Clip, double Shrink, double Beta1, double Beta2, double Size, double Correction, double Epsilon, double Rate);

/// <summary>Chooses the passes of a device.</summary>
internal static class FlatPasses
{
    public static IFlatPasses Of(Device device) => device.type == DeviceType.CPU ? FusedPasses.Instance : TensorPasses.Instance;
}
