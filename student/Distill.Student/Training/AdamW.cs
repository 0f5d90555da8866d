using Distill.Student.Model;
using static TorchSharp.torch;

namespace Distill.Student.Training;

/// <summary>Constants of <see cref="AdamW"/>; the defaults are those of the GPT-3 recipe with a mild decay.</summary>
public sealed record AdamWOptions(
    double Beta1 = 0.9, double Beta2 = 0.95, double Epsilon = 1e-8, double WeightDecay = 0.01, double MaxGradientNorm = 1.0);

/// <summary>
/// AdamW with decoupled decay on matrices only (Loshchilov and Hutter 2019, arXiv 1711.05101; update order and epsilon as in
/// PyTorch) and clipping by the global norm, in one pass over the trained values, on their device. Not thread-safe; dispose it.
/// </summary>
internal sealed class AdamW : IDisposable
{
    private readonly ITrainedValues trained;
    private readonly AdamWOptions options;
    private readonly IFlatPasses passes;
    private readonly TrainedBlock[] blocks;
    private int steps;

    public AdamW(ITrainedValues trained, AdamWOptions options)
        : this(trained, options, FlatPasses.Of(trained.Values.device))
    {
    }

    internal AdamW(ITrainedValues trained, AdamWOptions options, IFlatPasses passes)
    {
        (this.trained, this.options, this.passes) = (trained, options, passes);
        blocks = [.. Merged(trained.Blocks)];
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
        double norm = Math.Sqrt(passes.SumOfSquares(gradient));
        if (!double.IsFinite(norm)) return norm;
        Steps++;
        var step = new AdamWStep(
            options.MaxGradientNorm > 0 ? Math.Min(1, options.MaxGradientNorm / (norm + 1e-6)) : 1, 1, options.Beta1, options.Beta2,
            learningRate / (1 - Math.Pow(options.Beta1, Steps)), 1 / Math.Sqrt(1 - Math.Pow(options.Beta2, Steps)), options.Epsilon);
        foreach (var (offset, count, decays) in blocks)
        {
            using var scope = NewDisposeScope();
            Tensor Piece(Tensor whole) => whole.narrow(0, offset, count);
            passes.Update(
                Piece(trained.Values), Piece(gradient), Piece(FirstMoment), Piece(SecondMoment),
                step with { Shrink = decays ? 1 - (learningRate * options.WeightDecay) : 1 });
        }

        return norm;
    }

    public void Dispose()
    {
        FirstMoment.Dispose();
        SecondMoment.Dispose();
    }

    // Neighbours that decay alike are one piece: a device is asked a few dozen times for a model, not once per tensor.
    private static IEnumerable<TrainedBlock> Merged(IEnumerable<TrainedBlock> blocks)
    {
        TrainedBlock? open = null;
        foreach (var block in blocks)
        {
            if (open is { } last && last.Decays == block.Decays) open = last with { Count = last.Count + block.Count };
            else
            {
                if (open is { } ended) yield return ended;
                open = block;
            }
        }

        if (open is { } rest) yield return rest;
    }
}
