using Distill.Student.Model;
using static TorchSharp.torch;

namespace Distill.Student.Training;

/// <summary>Constants of <see cref="AdamW"/>; the defaults are those of the GPT-3 recipe with a mild decay.</summary>
/// <param name="Muon">Whether the matrices of the layers are updated by <see cref="MuonUpdate"/> instead.</param>
public sealed record AdamWOptions(
    double Beta1 = 0.9, double Beta2 = 0.95, double Epsilon = 1e-8, double WeightDecay = 0.01, double MaxGradientNorm = 1.0,
    bool Muon = false);

/// <summary>
/// AdamW with decoupled decay on matrices only (Loshchilov and Hutter 2019, arXiv 1711.05101; update order and epsilon as in
/// PyTorch) and clipping by the global norm, in one pass over the trained values, on their device. Not thread-safe; dispose it.
/// </summary>
internal sealed class AdamW : IDisposable
{
    private readonly ITrainedValues trained;
    private readonly AdamWOptions options;
    private readonly IFlatUpdate update;
    private int steps;

    /// <param name="trained">Stay the caller's, who disposes them after this.</param>
    public AdamW(ITrainedValues trained, AdamWOptions options)
    {
        (this.trained, this.options) = (trained, options);
        update = options.Muon ? new MuonUpdate(trained) : trained.Passes.UpdatesOf(trained);
        FirstMoment = zeros([trained.Count], ScalarType.Float32, trained.Values.device).DetachFromDisposeScope();
        SecondMoment = zeros([trained.Count], ScalarType.Float32, trained.Values.device).DetachFromDisposeScope();
        Steps = 0;
    }

    /// <summary>Updates made so far.</summary>
    public int Steps
    {
        get => steps;
        set => trained.Updates = steps = value;
    }

    /// <summary>[trained values], on their device.</summary>
    public Tensor FirstMoment { get; }

    /// <summary>[trained values], on their device.</summary>
    public Tensor SecondMoment { get; }

    /// <param name="gradient">[trained values], on their device; left as it is.</param>
    /// <returns>
    /// The gradient's norm before clipping; where it is not finite, nothing was changed and a <see cref="DivergenceWatch"/> says so.
    /// </returns>
    public double Update(Tensor gradient, double learningRate)
    {
        using var without = no_grad();
        double norm = Math.Sqrt(trained.Passes.SumOfSquares(gradient));
        if (!double.IsFinite(norm)) return norm;
        Steps++;
        double clip = options.MaxGradientNorm > 0 ? Math.Min(1, options.MaxGradientNorm / (norm + 1e-6)) : 1;
        update.Apply(gradient, FirstMoment, SecondMoment, new AdamWStep(
            clip, 1 - (learningRate * options.WeightDecay), options.Beta1, options.Beta2,
            learningRate / (1 - Math.Pow(options.Beta1, Steps)), 1 / Math.Sqrt(1 - Math.Pow(options.Beta2, Steps)), options.Epsilon,
            learningRate));
        return norm;
    }

    public void Dispose()
    {
        update.Dispose();
        FirstMoment.Dispose();
        SecondMoment.Dispose();
    }
}
