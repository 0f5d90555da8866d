using System.Runtime.InteropServices;

namespace Distill.Architecture;

/// <summary>Stored elements to fp32 or 64-bit integers. Every conversion but F64 → fp32 is exact.</summary>
internal static class SafeTensorConversion
{
    /// <returns>False when the type has no such conversion or a value does not fit.</returns>
    public static bool TryConvert<T>(SafeTensorType type, ReadOnlySpan<byte> source, Span<T> target)
    {
        if (typeof(T) == typeof(float)) return TrySingles(type, source, MemoryMarshal.CreateSpan(ref As<T, float>(target), target.Length));
        return typeof(T) == typeof(long) && TryIntegers(type, source, MemoryMarshal.CreateSpan(ref As<T, long>(target), target.Length));
    }

    private static ref TTo As<TFrom, TTo>(Span<TFrom> span) =>
        ref System.Runtime.CompilerServices.Unsafe.As<TFrom, TTo>(ref MemoryMarshal.GetReference(span));

    private static bool TrySingles(SafeTensorType type, ReadOnlySpan<byte> source, Span<float> target)
    {
        switch (type)
        {
            case SafeTensorType.Float16:
                var halves = MemoryMarshal.Cast<byte, Half>(source);
                for (int i = 0; i < target.Length; i++) target[i] = (float)halves[i];
                return true;
            case SafeTensorType.BFloat16:
                var bits = MemoryMarshal.Cast<byte, ushort>(source);
                for (int i = 0; i < target.Length; i++) target[i] = BitConverter.UInt32BitsToSingle((uint)bits[i] << 16);
                return true;
            case SafeTensorType.Float64:
                var doubles = MemoryMarshal.Cast<byte, double>(source);
                for (int i = 0; i < target.Length; i++) target[i] = (float)doubles[i];
                return true;
            default:
                return false;
        }
    }

    private static bool TryIntegers(SafeTensorType type, ReadOnlySpan<byte> source, Span<long> target) => type switch
    {
        SafeTensorType.Boolean or SafeTensorType.UInt8 => Widen<byte>(source, target, value => value),
        SafeTensorType.Int8 => Widen<sbyte>(source, target, value => value),
        SafeTensorType.UInt16 => Widen<ushort>(source, target, value => value),
        SafeTensorType.Int16 => Widen<short>(source, target, value => value),
        SafeTensorType.UInt32 => Widen<uint>(source, target, value => value),
        SafeTensorType.Int32 => Widen<int>(source, target, value => value),
        SafeTensorType.UInt64 => !MemoryMarshal.Cast<byte, ulong>(source).ContainsAnyInRange(1UL << 63, ulong.MaxValue)
            && Widen<ulong>(source, target, value => (long)value),
        _ => false,
    };

    private static bool Widen<T>(ReadOnlySpan<byte> source, Span<long> target, Func<T, long> widen) where T : unmanaged
    {
        var values = MemoryMarshal.Cast<byte, T>(source);
        for (int i = 0; i < target.Length; i++) target[i] = widen(values[i]);
        return true;
    }
}

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
