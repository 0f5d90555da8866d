using System.Runtime.Intrinsics;

namespace Distill.Student.Fused;

/// <summary>
/// Rounds fp32 to bf16 up or down at random, with the probabilities that make the expected result the value itself (Croci et al. 2022,
/// doi 10.1098/rsos.211631). Rounding to nearest hides every update smaller than half a bf16 step until enough of them add up; this does
/// not. The random bits are a hash of seed, step and the value's index (Wellons' <c>lowbias32</c>, keyed): any split over threads gives the
/// same values, and a step can be repeated without its predecessors.
/// </summary>
internal static unsafe class StochasticRounding
{
    internal const uint FirstFactor = 0x7FEB352D, SecondFactor = 0x846CA68B;

    /// <summary>The stream of one step: SplitMix64 over seed and step.</summary>
    public static (uint Inner, uint Outer) Key(ulong seed, int step)
    {
        ulong z = Mixed(Mixed(seed + 0x9E3779B97F4A7C15) + (ulong)step * 0x9E3779B97F4A7C15);
        return ((uint)z, (uint)(z >> 32));
    }

    /// <summary>Infinity stays, as does what bf16 holds exactly.</summary>
    /// <param name="source">[count]</param>
    /// <param name="target">[count] bf16</param>
    /// <param name="first">Index of the first value in the stream.</param>
    public static void Narrow(float* source, ushort* target, int first, int count, (uint Inner, uint Outer) key)
    {
        int i = 0;
        for (; i + 32 <= count; i += 32)
        {
            var low = Rounded(Vector512.Load(source + i), (uint)(first + i), key);
            var high = Rounded(Vector512.Load(source + i + 16), (uint)(first + i + 16), key);
            Vector512.Narrow(low, high).Store(target + i);
        }

        for (; i < count; i++) target[i] = (ushort)((BitConverter.SingleToUInt32Bits(source[i]) + Random((uint)(first + i), key)) >> 16);
    }

    // 16 random bits are added below the bits that stay: the carry comes with probability (dropped bits) / 2^16.
    private static Vector512<uint> Rounded(Vector512<float> values, uint first, (uint Inner, uint Outer) key)
    {
        var x = (Vector512.Create(first) + Vector512<uint>.Indices) ^ Vector512.Create(key.Inner);
        x = (x ^ (x >>> 16)) * Vector512.Create(FirstFactor);
        x = ((x ^ (x >>> 15)) + Vector512.Create(key.Outer)) * Vector512.Create(SecondFactor);
        return (values.AsUInt32() + (x >>> 16)) >>> 16;
    }

    private static uint Random(uint index, (uint Inner, uint Outer) key)
    {
        uint x = index ^ key.Inner;
        x = (x ^ (x >> 16)) * FirstFactor;
        x = ((x ^ (x >> 15)) + key.Outer) * SecondFactor;
        return x >> 16;
    }

    private static ulong Mixed(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
