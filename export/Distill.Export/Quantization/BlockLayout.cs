namespace Distill.Export.Quantization;

/// <summary>How the codes of a matrix lie: bits of a code, and weights along the input that share a scale.</summary>
/// <param name="Bits">4 or 8.</param>
/// <param name="BlockSize">A power of two from 16 to 256.</param>
internal readonly record struct BlockLayout(int Bits, int BlockSize)
{
    /// <summary>Codes run from −Middle to Middle − 1 before Middle is added to what is stored.</summary>
    public int Middle => 1 << (Bits - 1);

    /// <summary>Bytes of one block of codes.</summary>
    public int BlockBytes => BlockSize * Bits / 8;

    public int BlocksOf(int columns) => (columns + BlockSize - 1) / BlockSize;

    /// <summary>Bytes of codes and fp32 scales of a matrix.</summary>
    public long BytesOf(long rows, int columns) => rows * BlocksOf(columns) * (BlockBytes + sizeof(float));

    /// <summary>Writes one code of a block; the block's bytes must have been cleared.</summary>
    /// <param name="code">0 to 2·Middle − 1.</param>
    public void Put(Span<byte> block, int index, int code)
    {
        if (Bits == 8) block[index] = (byte)code;
        else block[index / 2] |= (byte)(code << (4 * (index & 1)));
    }

    /// <summary>0 to 2·Middle − 1.</summary>
    public int At(ReadOnlySpan<byte> block, int index) => Bits == 8 ? block[index] : (block[index / 2] >> (4 * (index & 1))) & 15;
}
