using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Distill.Export.Formats;

namespace Distill.Export.Gguf;

/// <summary>
/// fp32 numbers to and from the types of a GGUF file, rounded as ggml's reference does (<c>quantize_row_q4_0_ref</c> and
/// <c>quantize_row_q8_0_ref</c> in ggml-quants.c): products by the reciprocal of the fp32 scale, which is rounded to fp16 only where it is
/// stored.
/// </summary>
internal static class GgufNumbers
{
    private const int Length = GgufTypes.BlockLength, ScaleBytes = 2;

    /// <param name="values">One row, whole blocks where the type has blocks.</param>
    /// <param name="target">Exactly what the row takes.</param>
    /// <exception cref="InvalidDataException">A number is not finite, or the type cannot hold it.</exception>
    public static void Write(ReadOnlySpan<float> values, Span<byte> target, GgufType type)
    {
        foreach (float value in values)
            if (!float.IsFinite(value)) throw new InvalidDataException($"it holds {value}, which is no number");
        switch (type)
        {
            case GgufType.Single:
                MemoryMarshal.AsBytes(values).CopyTo(target);
                break;
            case GgufType.Half:
                var halves = MemoryMarshal.Cast<byte, Half>(target);
                for (int i = 0; i < values.Length; i++) halves[i] = Finite((Half)values[i], values[i]);
                break;
            case GgufType.BFloat16:
                for (int i = 0; i < values.Length; i++)
                    BinaryPrimitives.WriteUInt16LittleEndian(target[(2 * i)..], StoredNumbers.BFloat16Bits(values[i]));
                break;
            case GgufType.Block8:
                for (int i = 0; i < values.Length; i += Length) WriteBlock8(values.Slice(i, Length), target.Slice(i / Length * 34, 34));
                break;
            case GgufType.Block4:
                for (int i = 0; i < values.Length; i += Length) WriteBlock4(values.Slice(i, Length), target.Slice(i / Length * 18, 18));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, null);
        }
    }

    /// <summary>What a reader of the file computes with.</summary>
    /// <param name="bytes">One row or several.</param>
    public static float[] Read(ReadOnlySpan<byte> bytes, GgufType type, int count)
    {
        float[] values = new float[count];
        switch (type)
        {
            case GgufType.Single:
                bytes.CopyTo(MemoryMarshal.AsBytes(values.AsSpan()));
                break;
            case GgufType.Half:
                for (int i = 0; i < count; i++) values[i] = (float)BinaryPrimitives.ReadHalfLittleEndian(bytes[(2 * i)..]);
                break;
            case GgufType.BFloat16:
                for (int i = 0; i < count; i++)
                    values[i] = BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(bytes[(2 * i)..]) << 16);
                break;
            case GgufType.Block8:
                for (int i = 0; i < count; i += Length) ReadBlock8(bytes.Slice(i / Length * 34, 34), values.AsSpan(i, Length));
                break;
            case GgufType.Block4:
                for (int i = 0; i < count; i += Length) ReadBlock4(bytes.Slice(i / Length * 18, 18), values.AsSpan(i, Length));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, null);
        }

        return values;
    }

    // fp16 scale, 32 signed codes; the largest magnitude is code ±127
    private static void WriteBlock8(ReadOnlySpan<float> values, Span<byte> target)
    {
        float largest = 0;
        foreach (float value in values) largest = MathF.Max(largest, MathF.Abs(value));
        float scale = largest / 127, inverse = scale == 0 ? 0 : 1 / scale;
        BinaryPrimitives.WriteHalfLittleEndian(target, Finite((Half)scale, largest));
        for (int i = 0; i < values.Length; i++)
            target[ScaleBytes + i] = unchecked((byte)(sbyte)MathF.Round(values[i] * inverse, MidpointRounding.AwayFromZero));
    }

    // fp16 scale, 16 bytes with codes i (low nibble) and i + 16 (high nibble); the signed extreme is code 0, zero is code 8
    private static void WriteBlock4(ReadOnlySpan<float> values, Span<byte> target)
    {
        float largest = 0, extreme = 0;
        foreach (float value in values)
        {
            if (MathF.Abs(value) <= largest) continue;
            largest = MathF.Abs(value);
            extreme = value;
        }

        float scale = extreme / -8, inverse = scale == 0 ? 0 : 1 / scale;
        BinaryPrimitives.WriteHalfLittleEndian(target, Finite((Half)scale, largest));
        for (int i = 0; i < Length / 2; i++)
            target[ScaleBytes + i] = (byte)(Code4(values[i] * inverse) | (Code4(values[(Length / 2) + i] * inverse) << 4));
    }

    private static int Code4(float scaled) => Math.Min(15, (int)(scaled + 8.5f));

    private static void ReadBlock8(ReadOnlySpan<byte> block, Span<float> values)
    {
        float scale = (float)BinaryPrimitives.ReadHalfLittleEndian(block);
        for (int i = 0; i < Length; i++) values[i] = (sbyte)block[ScaleBytes + i] * scale;
    }

    private static void ReadBlock4(ReadOnlySpan<byte> block, Span<float> values)
    {
        float scale = (float)BinaryPrimitives.ReadHalfLittleEndian(block);
        for (int i = 0; i < Length / 2; i++)
        {
            values[i] = ((block[ScaleBytes + i] & 15) - 8) * scale;
            values[(Length / 2) + i] = ((block[ScaleBytes + i] >> 4) - 8) * scale;
        }
    }

    private static Half Finite(Half rounded, float value) => Half.IsFinite(rounded)
        ? rounded
        : throw new InvalidDataException($"it holds {value}, which is too large for fp16; bf16 and f32 hold it");
}
