using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Distill.Export.Quantization;
using Distill.Generation.Onnx;

namespace Distill.Export.Parity.Localisation;

/// <summary>
/// A matrix as com.microsoft.MatMulNBits reads it: codes [rows, blocks, bytes], scales and, where it is not symmetric, zero points of each
/// block; weight = (code − zero point) · scale. Immutable.
/// </summary>
internal sealed class BlockMatrix
{
    private const int FloatType = 1;

    // A block's size over that of its weights: rounding and recovered scales move it by a few hundredths.
    private const double MostTimes = 2;

    private readonly byte[] codes;
    private readonly float[] scales;
    private readonly byte[]? zeroPoints;
    private readonly BlockLayout layout;
    private readonly int zeroRowBytes;

    private BlockMatrix(byte[] codes, float[] scales, byte[]? zeroPoints, BlockLayout layout, int rows, int columns)
    {
        (this.codes, this.scales, this.zeroPoints, this.layout, Rows, Columns) = (codes, scales, zeroPoints, layout, rows, columns);
        Blocks = layout.BlocksOf(columns);
        zeroRowBytes = ((Blocks * layout.Bits) + 7) / 8;
    }

    public int Rows { get; }

    public int Columns { get; }

    public int Blocks { get; }

    public int BlockSize => layout.BlockSize;

    public int Bits => layout.Bits;

    /// <param name="node">A MatMulNBits of the graph in <paramref name="stream"/>.</param>
    /// <returns>Null where this is not known how to read: other bits than 4 and 8, scales that are not fp32, reordered columns.</returns>
    /// <exception cref="InvalidDataException">The file is broken.</exception>
    public static BlockMatrix? Read(Stream stream, string path, GraphOutline graph, ExternalFiles files, GraphNode node)
    {
        var numbers = NodeNumbers.Read(stream, path, node.Piece);
        if (!numbers.TryGetValue("K", out int columns) || !numbers.TryGetValue("N", out int rows)) return null;
        int bits = numbers.GetValueOrDefault("bits", 4), blockSize = numbers.GetValueOrDefault("block_size", 32);
        if (bits is not (4 or 8) || blockSize < 16 || (node.Inputs.Count > 4 && node.Inputs[4].Length > 0)) return null;
        StoredTensor? Constant(int input) => node.Inputs.Count > input && node.Inputs[input].Length > 0
            && graph.Initializers.FirstOrDefault(value => value.Name == node.Inputs[input]) is { } constant
                ? StoredTensor.Read(stream, path, constant.Piece, files) : null;
        if (Constant(1) is not { } codes || Constant(2) is not { ElementType: FloatType } scales) return null;
        var zero = Constant(3);
        if (zero is { ElementType: FloatType } || (zero is null && node.Inputs.Count > 3 && node.Inputs[3].Length > 0)) return null;
        var matrix = new BlockMatrix(codes.Bytes, MemoryMarshal.Cast<byte, float>(scales.Bytes).ToArray(), zero?.Bytes,
            new(bits, blockSize), rows, columns);
        bool whole = matrix.codes.Length == (long)rows * matrix.Blocks * matrix.layout.BlockBytes
            && matrix.scales.Length == rows * matrix.Blocks
            && (zero is null || zero.Bytes.Length == rows * matrix.zeroRowBytes);
        return whole ? matrix : null;
    }

    /// <summary>What codes and scales of one row stand for.</summary>
    /// <param name="target">[columns]</param>
    public void Row(int row, Span<float> target)
    {
        for (int block = 0; block < Blocks; block++)
        {
            var stored = codes.AsSpan(((row * Blocks) + block) * layout.BlockBytes, layout.BlockBytes);
            int count = Math.Min(BlockSize, Columns - (block * BlockSize));
            float scale = scales[(row * Blocks) + block];
            int zero = ZeroPoint(row, block);
            for (int i = 0; i < count; i++) target[(block * BlockSize) + i] = (layout.At(stored, i) - zero) * scale;
        }
    }

    /// <summary>
    /// How far each block of a row is from the weights it was made of: the norm of the difference over the norm of the block, or over a
    /// tenth of the usual one where the block is all but empty.
    /// </summary>
    /// <param name="weights">[columns]</param>
    /// <param name="work">[columns]</param>
    /// <returns>The largest with its block; infinite for what is no number.</returns>
    public (double Error, int Block) WorstBlock(int row, ReadOnlySpan<float> weights, Span<float> work)
    {
        Row(row, work);
        TensorPrimitives.Subtract(work, weights, work);
        double usual = TensorPrimitives.Norm(weights) * Math.Sqrt((double)BlockSize / Columns), worst = -1;
        int place = 0;
        for (int block = 0; block < Blocks; block++)
        {
            int start = block * BlockSize, count = Math.Min(BlockSize, Columns - start);
            double norm = Math.Max(TensorPrimitives.Norm(weights.Slice(start, count)), Math.Max(usual / 10, 1e-30));
            double error = TensorPrimitives.Norm<float>(work.Slice(start, count)) / norm;
            if (!double.IsFinite(error)) return (double.PositiveInfinity, block);
            if (error > worst) (worst, place) = (error, block);
        }

        return (worst, place);
    }

    /// <summary>
    /// Whether a row has what no choice of codes and scales explains: a number that is none, or a block more than twice the size of its
    /// weights (which a tenth of the usual block's stands in for where they are all but nothing).
    /// </summary>
    /// <param name="share">Of the row's codes that are not the nearest to their weight, more than an order of additions explains.</param>
    /// <inheritdoc cref="WorstBlock" path="/param"/>
    public bool IsBeyondChoice(int row, ReadOnlySpan<float> weights, Span<float> work, out double share)
    {
        Row(row, work);
        int others = 0;
        bool beyond = false;
        double usual = TensorPrimitives.Norm(weights) * Math.Sqrt((double)BlockSize / Columns);
        for (int block = 0; block < Blocks; block++)
        {
            int start = block * BlockSize, count = Math.Min(BlockSize, Columns - start);
            double step = Math.Abs(scales[(row * Blocks) + block]);
            double norm = TensorPrimitives.Norm<float>(work.Slice(start, count));
            double most = MostTimes * Math.Max(TensorPrimitives.Norm(weights.Slice(start, count)), Math.Max(usual / 10, 1e-30));
            beyond |= !double.IsFinite(step) || !(norm <= most);
            for (int i = start; i < start + count; i++)
                if (!(Math.Abs((double)work[i] - weights[i]) <= 0.51 * step)) others++;
        }

        share = (double)others / Columns;
        return beyond;
    }

    private int ZeroPoint(int row, int block)
    {
        return zeroPoints is null ? layout.Middle : layout.At(zeroPoints.AsSpan(row * zeroRowBytes, zeroRowBytes), block);
    }
}
