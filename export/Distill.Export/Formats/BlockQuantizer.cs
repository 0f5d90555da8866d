using System.Numerics.Tensors;
using Distill.Export.Quantization;

namespace Distill.Export.Formats;

/// <summary>
/// Rounds rows of weights to 4 or 8 bits in blocks along the input, symmetric, as ONNX Runtime's default quantizer does: the scale
/// takes the block's signed extreme to code 0, so it may be negative; w ≈ (code − 2^(bits−1)) · scale. Layout of
/// com.microsoft.MatMulNBits: codes row by row, blocks padded to their full size, low nibble first. Immutable.
/// </summary>
internal sealed class BlockQuantizer
{
    /// <exception cref="ArgumentOutOfRangeException">
    /// Bits other than 4 and 8, or a block size that is no power of two from 16 to 256.
    /// </exception>
    public BlockQuantizer(int bits, int blockSize)
    {
        if (bits is not (4 or 8)) throw new ArgumentOutOfRangeException(nameof(bits), bits, "Only 4 and 8 bits.");
        if (blockSize is < 16 or > 256 || !int.IsPow2(blockSize))
            throw new ArgumentOutOfRangeException(nameof(blockSize), blockSize, "A power of two from 16 to 256.");
        Layout = new(bits, blockSize);
    }

    public BlockLayout Layout { get; }

    private int Middle => Layout.Middle;

    /// <summary>The scales of one row, [blocks].</summary>
    public void Scales(ReadOnlySpan<float> row, Span<float> scales)
    {
        for (int block = 0; block < scales.Length; block++) scales[block] = Extreme(Block(row, block)) / -Middle;
    }

    /// <summary>The codes of one row, [blocks, <see cref="BlockLayout.BlockBytes"/>].</summary>
    public void Codes(ReadOnlySpan<float> row, Span<byte> codes)
    {
        codes.Clear();
        for (int block = 0; block < Layout.BlocksOf(row.Length); block++)
        {
            var values = Block(row, block);
            float scale = Extreme(values) / -Middle, inverse = scale == 0 ? 0 : 1 / scale;
            var target = codes.Slice(block * Layout.BlockBytes, Layout.BlockBytes);
            // Padding takes the code of zero.
            for (int i = 0; i < Layout.BlockSize; i++) Layout.Put(target, i, Code(i < values.Length ? values[i] * inverse : 0));
        }
    }

    /// <summary>What the codes and scales stand for: the row after rounding.</summary>
    public void RoundTrip(Span<float> row)
    {
        for (int block = 0; block < Layout.BlocksOf(row.Length); block++)
        {
            var values = row[(block * Layout.BlockSize)..Math.Min(row.Length, (block + 1) * Layout.BlockSize)];
            float scale = Extreme(values) / -Middle, inverse = scale == 0 ? 0 : 1 / scale;
            for (int i = 0; i < values.Length; i++) values[i] = (Code(values[i] * inverse) - Middle) * scale;
        }
    }

    private ReadOnlySpan<float> Block(ReadOnlySpan<float> row, int block) =>
        row[(block * Layout.BlockSize)..Math.Min(row.Length, (block + 1) * Layout.BlockSize)];

    // The value of largest magnitude with its sign.
    private static float Extreme(ReadOnlySpan<float> block)
    {
        float low = TensorPrimitives.Min(block), high = TensorPrimitives.Max(block);
        return Math.Abs(high) > Math.Abs(low) ? high : low;
    }

    // A NaN (zero times an overflown inverse) becomes the code of zero.
    private int Code(float scaled) => float.IsNaN(scaled) ? Middle : (int)Math.Clamp(MathF.Round(scaled) + Middle, 0, (2 * Middle) - 1);
}
