using Distill.Libtorch;
using TorchSharp;
using static TorchSharp.torch;

namespace Distill.Generation.Torch.Sampling;

/// <summary>
/// Rows of scores as probabilities that are not normalised: exp(score − largest), summed by blocks in fp32 and over blocks in float64, as
/// <see cref="Sampler"/> does. Tensors belong to the dispose scope.
/// </summary>
internal sealed class Distribution
{
    /// <summary>Scores of a block; the width of a row is a multiple of it.</summary>
    public const int Block = 64;

    // One also as the factor of a sum, which makes a scalar where none is given.
    private static readonly Scalar One = 1L.ToScalar(), None = 0L.ToScalar();

    private readonly Tensor blocks; // [rows, blocks] float64: their cumulative sums

    /// <param name="scores">[rows, width] fp32; −∞ for what is not possible.</param>
    public Distribution(Tensor scores)
    {
        long rows = scores.shape[0];
        Largest = scores.amax([1], keepdim: true);
        Weights = (scores - Largest).exp_();
        blocks = Weights.view(rows, -1, Block).sum(-1).to(ScalarType.Float64).cumsum(1);
        Total = blocks.narrow(1, blocks.shape[1] - 1, 1);
        LogNormalizer = Largest.to(ScalarType.Float64).add(Total.log(), One);
    }

    /// <summary>[rows, 1] fp32; not finite when the row is no distribution.</summary>
    public Tensor Largest { get; }

    /// <summary>[rows, width] fp32.</summary>
    public Tensor Weights { get; }

    /// <summary>[rows, 1] float64: sum of the weights.</summary>
    public Tensor Total { get; }

    /// <summary>[rows, 1] float64: what is subtracted from a score to make it a log-probability.</summary>
    public Tensor LogNormalizer { get; }

    /// <summary>First token in id order whose cumulative weight exceeds uniform × total; never one of weight 0.</summary>
    /// <param name="uniform">[rows, 1] float64.</param>
    /// <returns>[rows, 1] int64.</returns>
    public Tensor Pick(Tensor uniform)
    {
        long rows = Weights.shape[0], count = blocks.shape[1];
        var target = uniform * Total;
        var last = KeptScalar.Full([rows, 1], count - 1, ScalarType.Int64, Weights.device);
        var block = minimum(blocks.le(target).sum(1, keepdim: true, ScalarType.Int64), last); // the first that exceeds the target
        var before = blocks.gather(1, (block - One).clamp_min(None)) * block.gt(None).to(ScalarType.Float64);
        var inside = Weights.view(rows, count, Block).gather(1, block.view(rows, 1, 1).expand(rows, 1, Block)).view(rows, Block);
        var place = inside.to(ScalarType.Float64).cumsum(1).add(before, One).le(target).sum(1, keepdim: true, ScalarType.Int64);

        // Stays within the block when rounding leaves the block's sum just short of the target.
        var places = KeptScalar.Range(Block, ScalarType.Int64, Weights.device);
        var lastPossible = (inside.gt(None).to(ScalarType.Int64) * places).amax([1], keepdim: true);
        return (block * BlockSize).add(minimum(place, lastPossible), One);
    }

    private static Scalar BlockSize { get; } = ((long)Block).ToScalar();
}
