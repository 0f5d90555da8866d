using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Distill.Export.Onnx;

namespace Distill.Export.Formats;

/// <summary>fp32 numbers as a file keeps them: as they are, or rounded to the nearest fp16 or bf16, ties to even.</summary>
internal static class StoredNumbers
{
    /// <param name="target">Room for all values in the type.</param>
    public static void Write(ReadOnlySpan<float> values, Span<byte> target, OnnxElementType type)
    {
        switch (type)
        {
            case OnnxElementType.Float:
                MemoryMarshal.AsBytes(values).CopyTo(target);
                break;
            case OnnxElementType.Float16:
                var halves = MemoryMarshal.Cast<byte, Half>(target);
                for (int i = 0; i < values.Length; i++) halves[i] = (Half)values[i];
                break;
            case OnnxElementType.BFloat16:
                for (int i = 0; i < values.Length; i++)
                    BinaryPrimitives.WriteUInt16LittleEndian(target[(2 * i)..], BFloat16Bits(values[i]));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, "Not a type of weights.");
        }
    }

    /// <summary>The upper half of the bits after rounding. What is no number stays none, what is too large becomes infinite.</summary>
    public static ushort BFloat16Bits(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        if (float.IsNaN(value)) return (ushort)((bits >> 16) | 0x40); // a payload in the lower half alone would leave infinity
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}
