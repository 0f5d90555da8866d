namespace Distill.Architecture;

/// <summary>fp32 to the 16-bit types, to nearest, ties to even (IEEE 754). NaN stays NaN, infinity infinity.</summary>
internal static class SafeTensorRounding
{
    /// <returns>Index of the first finite value that has no finite counterpart; −1 when there is none.</returns>
    public static int Round(ReadOnlySpan<float> values, SafeTensorType type, Span<ushort> target)
    {
        for (int i = 0; i < values.Length; i++)
        {
            target[i] = type == SafeTensorType.BFloat16 ? BFloat16(values[i]) : BitConverter.HalfToUInt16Bits((Half)values[i]);
            ushort infinity = type == SafeTensorType.BFloat16 ? (ushort)0x7F80 : (ushort)0x7C00;
            if ((target[i] & 0x7FFF) == infinity && float.IsFinite(values[i])) return i;
        }

        return -1;
    }

    private static ushort BFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        if (float.IsNaN(value)) return (ushort)((bits >> 16) | 0x40); // the quiet bit, which rounding could carry away
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}
