using Distill.Libtorch;
using TorchSharp;
using static TorchSharp.torch;

namespace Distill.Student.Model;

/// <summary>
/// The passes over flat values by tensor operations, on whatever device these lie: each reads and writes memory once per operation, and
/// asks for a few operations a piece, so that temporaries stay small and a device is never waited for but by who wants a number.
/// Thread-safe.
/// </summary>
internal sealed class TensorPasses : IFlatPasses
{
    /// <summary>Values that temporaries are made for at once: 64 MB each.</summary>
    internal const long Piece = 1 << 24;

    private const int NormBlock = 4096;

    public static TensorPasses Instance { get; } = new();

    public double SumOfSquares(Tensor values)
    {
        using var scope = NewDisposeScope();
        using var without = no_grad();
        return SumOfSquaresOf(values).item<double>();
    }

    // Added up in fp64, where finite fp32 values cannot overflow: the sum is finite exactly where all of them are.
    public bool AreFinite(Tensor values)
    {
        using var scope = NewDisposeScope();
        using var without = no_grad();
        return double.IsFinite(SumOf(values, piece => piece.sum(ScalarType.Float64)).item<double>());
    }

    public void Average(Tensor average, Tensor values, double share)
    {
        using var scope = NewDisposeScope();
        using var without = no_grad();
        using Scalar kept = 1 - share, added = share;
        average.mul_(kept).add_(values, added);
    }

    public IFlatUpdate UpdatesOf(ITrainedValues trained, IReadOnlyList<TrainedBlock>? blocks = null) =>
        new TensorUpdate(trained, blocks ?? [.. trained.Blocks]);

    public void Round(Tensor values, Tensor target, long first, (uint Inner, uint Outer)? key, int threads)
    {
        using var scope = NewDisposeScope();
        using var without = no_grad();
        if (key is null) target.copy_(values); // torch's own cast: to nearest, ties to even
        else foreach (var (start, count) in PiecesOf(values.numel()))
            TensorRounding.Round(values.narrow(0, start, count), target.narrow(0, start, count), first + start, key.Value);
    }

    /// <summary>Where pieces of so many values begin, and how long they are.</summary>
    internal static IEnumerable<(long Start, long Count)> PiecesOf(long count)
    {
        for (long start = 0; start < count; start += Piece) yield return (start, Math.Min(Piece, count - start));
    }

    /// <returns>fp64 scalar on the values' device, in the caller's dispose scope.</returns>
    internal static Tensor SumOfSquaresOf(Tensor values) => SumOf(values, SquaresOfPiece);

    private static Tensor SumOf(Tensor values, Func<Tensor, Tensor> sumOfPiece)
    {
        var sum = zeros([], ScalarType.Float64, values.device);
        foreach (var (start, count) in PiecesOf(values.numel()))
        {
            using var scope = NewDisposeScope();
            sum.add_(sumOfPiece(values.narrow(0, start, count)), KeptScalar.One);
        }

        return sum;
    }

    // Norms of blocks in fp32, the sum of their squares in fp64: over a hundred million values one fp32 sum loses whole percents.
    private static Tensor SquaresOfPiece(Tensor piece)
    {
        long whole = piece.numel() / NormBlock * NormBlock;
        var norms = piece.narrow(0, 0, whole).view(-1, NormBlock).norm(1); // [blocks]
        var rest = piece.narrow(0, whole, piece.numel() - whole).view(1, -1).norm(1);
        var all = cat([norms, rest]).to(ScalarType.Float64);
        return all.mul(all).sum();
    }
}
