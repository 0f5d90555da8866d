namespace Distill.Generation;

/// <summary>
/// A completion's own random numbers: SplitMix64 (Steele, Lea, Flood 2014) from its seed. The same on every machine and
/// .NET version, which <see cref="Random"/> does not promise.
/// </summary>
public struct RandomStream(ulong seed)
{
    private ulong state = seed;

    /// <summary>Uniform in [0, 1) with 53 bits.</summary>
    public double NextDouble()
    {
        ulong z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return ((z ^ (z >> 31)) >> 11) * (1.0 / (1UL << 53));
    }
}
