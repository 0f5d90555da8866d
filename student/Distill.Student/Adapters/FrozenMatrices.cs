using Distill.Libtorch;
using static TorchSharp.torch;

namespace Distill.Student.Adapters;

/// <summary>A matrix that is not trained, in whatever form it lies. One thread; the owner disposes it.</summary>
internal interface IFrozenMatrix : IDisposable
{
    /// <returns>[out, in] in the products' precision, in the caller's dispose scope.</returns>
    Tensor Values();
}

/// <summary>A frozen matrix in the products' precision: the base's own memory where it has that form and place, else a copy.</summary>
internal sealed class FloatMatrix : IFrozenMatrix
{
    private readonly Tensor values;

    /// <param name="matrix">[out, in] fp32; outlives this.</param>
    public FloatMatrix(Tensor matrix, ScalarType precision, Device device)
    {
        using var scope = NewDisposeScope();
        values = matrix.to(precision, device).alias().DetachFromDisposeScope();
    }

    public Tensor Values() => values.alias();

    public void Dispose() => values.Dispose();
}

/// <summary>
/// A frozen matrix in 4 or 8 bits, symmetric, in blocks along the input: the scale takes the block's signed extreme to code 0, so it may be
/// negative, and w ≈ (code − 2^(bits−1)) · scale. The same numbers as the export's blocks. Widened anew whenever it is read.
/// </summary>
internal sealed class BlockMatrix : IFrozenMatrix
{
    internal const int BlockSize = 32;

    private readonly ScalarType precision;
    private readonly long rows, columns;
    private readonly int bits;
    private readonly Tensor codes;  // [rows, blocks, 32] uint8, or [rows, blocks, 16] with two codes a byte, the low nibble first
    private readonly Tensor scales; // [rows, blocks, 1] fp32

    /// <param name="matrix">[out, in] fp32, on any device.</param>
    /// <param name="bits">4 or 8.</param>
    public BlockMatrix(Tensor matrix, int bits, ScalarType precision, Device device)
    {
        (this.precision, this.bits, rows, columns) = (precision, bits, matrix.shape[0], matrix.shape[1]);
        using var scope = NewDisposeScope();
        var blocks = Blocks(matrix.to(device));
        scales = Scales(blocks).DetachFromDisposeScope();
        codes = Packed(Codes(blocks)).DetachFromDisposeScope();
    }

    /// <summary>What codes and scales occupy.</summary>
    public long Bytes => codes.numel() + (sizeof(float) * scales.numel());

    private double Middle => 1 << (bits - 1);

    /// <summary><see cref="Bytes"/> of a matrix of this shape.</summary>
    /// <param name="bits">4 or 8.</param>
    public static long BytesOf(long rows, long columns, int bits) =>
        rows * ((columns + BlockSize - 1) / BlockSize) * ((BlockSize * bits / 8) + sizeof(float));

    /// <summary>Most that <see cref="Values"/> takes beside it: codes one by one and before, fp32, and the products' precision.</summary>
    /// <param name="half">Bytes of a value in the products' precision; 0 in fp32, which needs no other copy.</param>
    public static long WidenedBytesOf(long rows, long columns, int bits, int half) =>
        rows * ((columns + BlockSize - 1) / BlockSize) * BlockSize * (sizeof(float) + half + (bits == 8 ? 0 : 2));

    public Tensor Values()
    {
        using var scope = NewDisposeScope();
        var values = Unpacked().to(ScalarType.Float32).sub_(KeptScalar.Of(Middle)).mul_(scales).view(rows, -1);
        return values.narrow(1, 0, columns).to(precision).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        codes.Dispose();
        scales.Dispose();
    }

    // [rows, blocks, 32]; the last is filled up with zeros
    private Tensor Blocks(Tensor matrix)
    {
        long missing = -columns & (BlockSize - 1);
        if (missing > 0) matrix = cat([matrix, zeros([rows, missing], ScalarType.Float32, matrix.device)], 1);
        return matrix.reshape(rows, -1, BlockSize);
    }

    // The value of largest magnitude with its sign, over −2^(bits−1); the lower of two equal ones.
    private Tensor Scales(Tensor blocks)
    {
        Tensor high = blocks.amax([-1], keepdim: true), low = blocks.amin([-1], keepdim: true);
        var isHigh = high.add(low, KeptScalar.One).gt(KeptScalar.Of(0)).to(ScalarType.Float32); // |high| > |low|, as high ≥ low
        var extreme = high.mul(isHigh);
        return extreme.addcmul_(low, isHigh.neg_().add_(KeptScalar.One, KeptScalar.One), KeptScalar.One).div_(KeptScalar.Of(-Middle));
    }

    private Tensor Codes(Tensor blocks)
    {
        var flat = scales.eq(KeptScalar.Of(0)); // a block of zeros alone
        var inverse = scales.reciprocal().masked_fill_(flat, KeptScalar.Of(0));
        return blocks.mul(inverse).round_().add_(KeptScalar.Of(Middle), KeptScalar.One)
            .clamp_(KeptScalar.Of(0), KeptScalar.Of((2 * Middle) - 1)).to(ScalarType.Byte);
    }

    private Tensor Packed(Tensor codes)
    {
        if (bits == 8) return codes;
        var pairs = codes.view(rows, -1, BlockSize / 2, 2);
        return pairs.narrow(3, 1, 1).mul(Constant(16)).bitwise_or_(pairs.narrow(3, 0, 1)).squeeze(3);
    }

    private Tensor Constant(byte value) => full([], KeptScalar.Of(value), ScalarType.Byte, scales.device);

    private Tensor Unpacked()
    {
        if (bits == 8) return codes;
        return stack([codes.bitwise_and(Constant(15)), codes.bitwise_right_shift(Constant(4))], -1).view(rows, -1, BlockSize);
    }
}
