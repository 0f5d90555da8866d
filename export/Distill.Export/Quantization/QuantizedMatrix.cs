using Distill.Export.Formats;

namespace Distill.Export.Quantization;

/// <summary>
/// A matrix as it is stored: w ≈ (code − 2^(bits−1)) · scale, in the layout of com.microsoft.MatMulNBits: codes row by row, blocks
/// padded to their full size, low nibble first. Whoever makes it fills codes and scales; after that they do not change.
/// </summary>
internal sealed class QuantizedMatrix
{
    public QuantizedMatrix(BlockLayout layout, int rows, int columns)
    {
        (Layout, Rows, Columns) = (layout, rows, columns);
        Codes = new byte[checked(rows * RowBytes)];
        Scales = new float[checked(rows * Blocks)];
    }

    private QuantizedMatrix(QuantizedMatrix other) =>
        (Layout, Rows, Columns, Codes, Scales) = (other.Layout, other.Rows, other.Columns, other.Codes, [.. other.Scales]);

    public BlockLayout Layout { get; }

    public int Rows { get; }

    public int Columns { get; }

    public int Blocks => Layout.BlocksOf(Columns);

    /// <summary>Bytes of the codes of one row.</summary>
    public int RowBytes => Blocks * Layout.BlockBytes;

    /// <summary>[rows, blocks, <see cref="BlockLayout.BlockBytes"/>]</summary>
    public byte[] Codes { get; }

    /// <summary>[rows, blocks]</summary>
    public float[] Scales { get; }

    public Span<byte> CodesOf(int row) => Codes.AsSpan(row * RowBytes, RowBytes);

    public Span<float> ScalesOf(int row) => Scales.AsSpan(row * Blocks, Blocks);

    /// <summary>Every weight to the nearest code, with the scales of ONNX Runtime's default quantizer.</summary>
    /// <param name="weights">[rows, columns]</param>
    public static QuantizedMatrix Nearest(ReadOnlySpan<float> weights, BlockLayout layout, int columns)
    {
        var matrix = new QuantizedMatrix(layout, weights.Length / columns, columns);
        var quantizer = new BlockQuantizer(layout.Bits, layout.BlockSize);
        for (int row = 0; row < matrix.Rows; row++)
        {
            var values = weights.Slice(row * columns, columns);
            quantizer.Codes(values, matrix.CodesOf(row));
            quantizer.Scales(values, matrix.ScalesOf(row));
        }

        return matrix;
    }

    /// <summary>The same codes with a copy of the scales, which may change.</summary>
    public QuantizedMatrix WithOwnScales() => new(this);

    /// <summary>Σ code · value over each block: the gradient of its scale, given that of its weights.</summary>
    /// <param name="values">[rows, columns]</param>
    /// <param name="sums">[rows, blocks]</param>
    public void SumByBlock(ReadOnlySpan<float> values, Span<float> sums)
    {
        for (int row = 0; row < Rows; row++)
        {
            ReadOnlySpan<byte> codes = CodesOf(row);
            for (int block = 0; block < Blocks; block++)
            {
                int start = block * Layout.BlockSize, end = Math.Min(Columns, start + Layout.BlockSize);
                var stored = codes.Slice(block * Layout.BlockBytes, Layout.BlockBytes);
                double sum = 0;
                for (int column = start; column < end; column++)
                    sum += (double)values[(row * Columns) + column] * (Layout.At(stored, column - start) - Layout.Middle);
                sums[(row * Blocks) + block] = (float)sum;
            }
        }
    }

    /// <summary>The weights that codes and scales stand for.</summary>
    /// <param name="target">[rows, columns]</param>
    public void Dequantize(Span<float> target)
    {
        for (int row = 0; row < Rows; row++) DequantizeRow(row, target.Slice(row * Columns, Columns));
    }

    /// <param name="target">[columns]</param>
    public void DequantizeRow(int row, Span<float> target)
    {
        ReadOnlySpan<byte> codes = CodesOf(row);
        ReadOnlySpan<float> scales = ScalesOf(row);
        for (int column = 0; column < Columns; column++)
        {
            int block = column / Layout.BlockSize;
            int code = Layout.At(codes.Slice(block * Layout.BlockBytes, Layout.BlockBytes), column % Layout.BlockSize);
            target[column] = (code - Layout.Middle) * scales[block];
        }
    }
}
