namespace Distill.Generation;

/// <summary>
/// A completion's own random numbers: SplitMix64 (Steele, Lea, Flood 2014) from its seed. The same on every machine and
/// .NET version, which <see cref="Random"/> does not promise.
/// </summary>
internal struct RandomStream(ulong seed)
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

/// <summary>
/// (run seed, problem, sample) → seed, by the SplitMix64 finaliser (Steele, Lea, Flood 2014); order and batch play no part.
/// </summary>
internal static class SeedSequence
{
    public static ulong Derive(ulong runSeed, ulong problem, ulong sample) =>
        Mix(Mix(Mix(runSeed) ^ problem) ^ (sample + 0x9E3779B97F4A7C15));

    /// <summary>FNV-1a of a problem id, so that seeds follow the problem, not its position.</summary>
    public static ulong Hash(string id)
    {
        ulong hash = 0xCBF29CE484222325;
        foreach (char c in id) hash = (hash ^ c) * 0x100000001B3;
        return Mix(hash);
    }

    private static ulong Mix(ulong z)
    {
        z += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
